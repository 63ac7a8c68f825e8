-- How somebody wants pages: colours, density, times, keys.
ALTER TABLE users ADD COLUMN preferences TEXT;
