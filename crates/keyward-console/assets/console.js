// Comfort for pages that work without it.
'use strict';

const all = (selector) => document.querySelectorAll(selector);

// An element with what is in it: texts stay texts.
const make = (name, properties = {}, ...content) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...content);
  return made;
};

// A dialog for as long as it is open. Whatever had the focus has it again afterwards.
const ask = (dialog) => {
  const before = document.activeElement;
  dialog.addEventListener('close', () => { dialog.remove(); before?.focus(); });
  document.body.append(dialog);
  dialog.showModal();
};

// Times are those of the browser for whoever wants it so; the one in UTC is at hand.
const parts = new Intl.DateTimeFormat('en-US', { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZoneName: 'short' });
const localize = (root) => {
  if (document.documentElement.dataset.times !== 'local') return;
  for (const time of root.querySelectorAll('time')) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const { day, month, year, hour, minute, timeZoneName } = Object.fromEntries(parts.formatToParts(at).map(({ type, value }) => [type, value]));
    const date = `${day} ${month} ${year}`;
    const whole = `${date}, ${hour}:${minute} ${timeZoneName}`;
    const exact = 'at' in time.dataset;
    const utc = exact ? time.textContent : time.title;
    // What says how long ago it was is the same everywhere.
    time.textContent = exact ? whole : time.textContent.replace(utc.split(',')[0], date);
    time.title = `${exact ? time.title : whole} (${utc})`;
  }
};
localize(document);

// Without a connection nothing is sent, so that what was typed is still there.
const offline = make('p', { className: 'notice notice-warn offline', role: 'alert' }, 'No connection. What you typed is kept.');
const connected = () => fetch(document.querySelector('script').src, { method: 'HEAD', cache: 'no-store' }).then(() => true, () => false);
const missing = () => (document.querySelector('dialog:modal') ?? document.querySelector('main')).prepend(offline);
addEventListener('online', () => offline.remove());
addEventListener('offline', async () => { if (!await connected()) missing(); });
document.addEventListener('submit', async (event) => {
  const { target, submitter } = event;
  if (navigator.onLine || 'sure' in target.dataset) return;
  event.preventDefault();
  event.stopPropagation();
  // A browser on the server's own machine reaches it without a network.
  if (!await connected()) return missing();
  target.dataset.sure = '';
  target.requestSubmit(submitter);
  delete target.dataset.sure;
}, true);

// A setup link has its code in the fragment, which is not sent to any server. It does not stay in the history.
const setup = document.querySelector('[data-setup] [name="code"]');
if (setup && location.hash.length > 1) {
  const text = decodeURIComponent(location.hash.slice(1));
  setup.value = text.startsWith('code=') ? text.slice(5) : text;
  history.replaceState(null, '', location.pathname + location.search);
  setup.form.querySelector('#email, #new_password').focus();
}

for (const button of all('[data-reveal]')) {
  const input = document.getElementById(button.dataset.reveal);
  button.hidden = false;
  button.addEventListener('click', () => {
    const shown = input.type === 'password';
    input.type = shown ? 'text' : 'password';
    button.setAttribute('aria-pressed', String(shown));
    button.firstChild.data = shown ? 'Hide' : 'Show';
  });
  // A password that is sent as text may be remembered as text.
  input.form?.addEventListener('submit', () => { input.type = 'password'; });
}

for (const button of all('[data-copy]')) {
  const input = document.getElementById(button.dataset.copy);
  const said = document.querySelector(`[data-copied="${button.dataset.copy}"]`);
  button.hidden = false;
  button.addEventListener('click', async () => {
    input.select();
    try {
      // The clipboard of the navigator is there on https and on this machine only.
      if (navigator.clipboard) await navigator.clipboard.writeText(input.value);
      else if (!document.execCommand('copy')) throw new Error('refused');
      said.textContent = 'Copied.';
      button.dispatchEvent(new Event('copied'));
    } catch {
      said.textContent = 'Not copied. The text is selected: copy it with the keyboard.';
    }
  });
}

for (const rule of all('[data-strength]')) {
  const input = document.getElementById(rule.dataset.strength);
  input.addEventListener('input', () => {
    rule.classList.toggle('rule-met', [...input.value].length >= 15);
  });
}

// Menus close with Escape and by a click beside them.
document.addEventListener('keydown', (event) => {
  const menu = event.key === 'Escape' && document.querySelector('.menu[open]');
  if (!menu) return;
  event.preventDefault();
  menu.open = false;
  menu.querySelector('summary').focus();
});
document.addEventListener('click', (event) => {
  for (const menu of all('.menu[open]')) if (!menu.contains(event.target)) menu.open = false;
});

// A question becomes a modal dialog, so that what is behind it can't be reached; Escape is the answer no.
const question = document.querySelector('dialog[data-modal]');
if (question) {
  question.close();
  question.showModal();
  question.addEventListener('cancel', () => location.assign(question.dataset.modal));
}

// What an identity provider answered is sent on without a click.
document.querySelector('[data-carry-on]')?.requestSubmit();

// What is fetched anew now and then. It rests while somebody is in it, and where nobody looks.
for (const live of all('[data-live]')) {
  const from = new URL(live.dataset.live, location.href);
  from.searchParams.set('part', '1');
  let before;
  setInterval(async () => {
    if (document.hidden || live.contains(document.activeElement)) return;
    // Looking by itself is no sign that somebody is there.
    const reply = await fetch(from, { headers: { 'x-keyward-poll': '1' } }).catch(() => null);
    const text = reply?.ok && !reply.redirected ? await reply.text() : before;
    // What is the same is not said again.
    if (text === before) return;
    before = text;
    live.innerHTML = text;
    localize(live);
  }, Number(live.dataset.every) * 1000);
}

// Buttons that fill a field in.
for (const button of all('[data-set]')) {
  const field = document.getElementById(button.dataset.set);
  button.hidden = false;
  button.addEventListener('click', () => {
    field.value = button.dataset.value;
    field.dispatchEvent(new Event('input', { bubbles: true }));
    field.focus();
  });
}

// The grid: Change has View with it, and says what the choice comes to.
for (const grid of all('[data-grid]')) {
  const rows = [...grid.querySelectorAll('tbody tr')];
  const box = (row, name) => row.querySelector(`input[name="${name}"]`);
  const filter = grid.querySelector('[data-grid-filter]');
  const only = grid.querySelector('[data-grid-only]');
  const update = () => {
    const chosen = new Set([...grid.querySelectorAll('input[name="beside"]')].map((input) => input.value));
    let [views, changes] = [0, 0];
    const [looked, changed, dangerous, single] = [[], [], [], []];
    for (const row of rows) {
      const [change, view] = [box(row, 'change'), box(row, 'view')];
      if (view) {
        if (change?.checked) view.checked = true;
        view.setAttribute('aria-disabled', String(Boolean(change?.checked)));
        view.title = change?.checked ? 'Included in Change' : '';
      }
      if (change?.checked) { changes += 1; row.dataset.change.split(' ').forEach((one) => chosen.add(one)); }
      if (view?.checked) { views += 1; chosen.add(row.dataset.view); }
      const some = [...row.querySelectorAll('input[name="some"]:checked')].map((input) => input.value);
      some.forEach((one) => { chosen.add(one); if (!change?.checked) single.push(one); });
      if (change?.checked) changed.push(row.dataset.label);
      else if (view?.checked) looked.push(row.dataset.label);
      if ((change?.checked || some.length) && 'escalates' in row.dataset) dangerous.push(row.dataset.label);
      const text = row.textContent.toLowerCase().includes(filter.value.toLowerCase());
      row.hidden = !text || (only.checked && !change?.checked && !view?.checked);
    }
    grid.querySelector('[data-grid-count]').textContent = `${views} View, ${changes} Change of ${rows.length}`;
    const told = (what, labels) => (labels.length ? `${what} ${labels.join(', ')}. ` : '');
    single.push(...[...grid.querySelectorAll('input[name="beside"]')].map((input) => input.value));
    const words = `${told('Looks at', looked)}${told('Changes', changed)}${told('Also', single)}`;
    grid.querySelector('[data-grid-words]').textContent = words ? `${words}Nothing else.` : 'Nothing.';
    grid.querySelector('[data-grid-danger]').hidden = !dangerous.length;
    grid.querySelector('[data-grid-dangerous]').textContent = dangerous.join(', ');
    grid.querySelector('[data-grid-summary]').textContent = [...chosen].sort().join(' · ') || 'no permission';
  };
  grid.querySelector('[data-grid-tools]').hidden = false;
  grid.addEventListener('click', (event) => {
    if (event.target.getAttribute?.('aria-disabled') === 'true') event.preventDefault();
  });
  grid.addEventListener('input', update);
  grid.querySelector('[data-grid-all]').addEventListener('click', () => {
    for (const row of rows) {
      const view = box(row, 'view');
      if (view && !view.disabled && !row.hidden) view.checked = true;
    }
    update();
  });
  grid.addEventListener('keydown', (event) => {
    const { key, target } = event;
    if (!['change', 'view'].includes(target.name) || !key.startsWith('Arrow')) return;
    const row = target.closest('tr');
    const usable = (one, name) => { const found = box(one, name); return !found?.disabled && found; };
    let next;
    if (key === 'ArrowLeft' || key === 'ArrowRight') {
      next = usable(row, key === 'ArrowLeft' ? 'change' : 'view');
    } else {
      const shown = rows.filter((one) => !one.hidden && usable(one, target.name));
      const other = shown[shown.indexOf(row) + (key === 'ArrowDown' ? 1 : -1)];
      next = other && usable(other, target.name);
    }
    if (next) { event.preventDefault(); next.focus(); }
  });
  update();
}

// A secret: nobody leaves without having it by accident.
const secret = document.querySelector('[data-secret]');
if (secret) {
  let taken = false;
  const find = (name) => secret.querySelector(`[data-${name}]`);
  const [shown, done, why, format, said, folds] = [secret.querySelector('textarea'), ...['done', 'why', 'format', 'copied', 'folds'].map(find)];
  const sure = find('stored').querySelector('input');
  for (const part of [find('stored'), find('take')]) part.hidden = false;
  if (folds) folds.hidden = true;
  const allow = () => {
    done.setAttribute('aria-disabled', String(!sure.checked));
    why.textContent = '';
  };
  sure.addEventListener('input', allow);
  allow();
  done.addEventListener('click', (event) => {
    if (sure.checked) { taken = true; return; }
    event.preventDefault();
    why.textContent = 'Tick that you have stored it first.';
  });
  format?.addEventListener('input', () => {
    // The text of the field itself is what it began with.
    shown.value = format.value === 'secret' ? shown.defaultValue : document.getElementById(format.value).value;
    shown.rows = shown.value.split('\n').reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / 70)), 0);
  });
  find('copy').addEventListener('copied', () => {
    taken = true;
    if (format) said.textContent = `Copied: ${format.selectedOptions[0].text}.`;
  });
  find('download')?.addEventListener('click', (event) => {
    const { download, name } = event.currentTarget.dataset;
    const text = document.getElementById(download).value;
    // Browsers leave no name that begins with a dot.
    const link = make('a', { href: URL.createObjectURL(new Blob([text], { type: 'text/plain' })), download: name });
    link.click();
    URL.revokeObjectURL(link.href);
    taken = true;
    said.textContent = 'Downloaded: .env.';
  });
  // Escape is a way out, too.
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || event.defaultPrevented || event.target.closest?.('dialog, select') || document.querySelector('.menu[open]')) return;
    // The key would close the question again.
    event.preventDefault();
    if (taken || sure.checked) { location.assign(done.href); return; }
    const stay = make('button', { type: 'button', className: 'button', autofocus: true }, 'Stay');
    const leave = make('a', { className: 'button button-danger', href: done.href }, 'Leave without it');
    const dialog = make('dialog', { className: 'dialog', ariaLabel: 'Leave without the secret?' },
      make('h2', {}, 'Leave without the secret?'),
      make('p', {}, 'You have not copied or downloaded it, and it is shown this once.'),
      make('div', { className: 'actions' }, stay, leave));
    stay.addEventListener('click', () => dialog.close());
    leave.addEventListener('click', () => { taken = true; });
    ask(dialog);
  });
  addEventListener('beforeunload', (event) => { if (!taken && !sure.checked) event.preventDefault(); });
}

// A form that was begun is not left by accident.
for (const form of all('form[data-guard]')) {
  let touched = false;
  form.addEventListener('input', () => { touched = true; });
  form.addEventListener('submit', () => { touched = false; });
  addEventListener('beforeunload', (event) => { if (touched) event.preventDefault(); });
}

// The palette: the page for searching, on top of this one.
const opener = document.querySelector('[data-palette]');
const palette = async (href) => {
  if (document.querySelector('.palette')) return;
  const input = make('input', { type: 'search', autocomplete: 'off' });
  const found = make('div', { ariaLive: 'polite' });
  const label = make('label', { className: 'filter' }, make('span', {}, 'Search pages, tenants, people, clients, identifiers'), input);
  const dialog = make('dialog', { className: 'dialog palette', ariaLabel: 'Search' }, label, found);
  let asked = 0;
  const look = async () => {
    const turn = ++asked;
    const from = new URL(href, location.href);
    from.searchParams.set('part', '1');
    from.searchParams.set('q', input.value);
    const reply = await fetch(from).catch(() => null);
    if (turn === asked && reply?.ok && !reply.redirected) found.innerHTML = await reply.text();
  };
  let wait;
  input.addEventListener('input', () => { clearTimeout(wait); wait = setTimeout(look, 150); });
  dialog.addEventListener('keydown', (event) => {
    const links = [input, ...found.querySelectorAll('a')];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      links[(links.indexOf(document.activeElement) + step + links.length) % links.length]?.focus();
    } else if (event.key === 'Enter' && document.activeElement === input) {
      // What is found for what stands there now, not for what stood there before.
      clearTimeout(wait);
      look().then(() => found.querySelector('a')?.click());
    }
  });
  ask(dialog);
  input.focus();
  await look();
};
opener?.addEventListener('click', (event) => { event.preventDefault(); palette(opener.dataset.palette); });

// Keys: Ctrl K searches, / goes to the filter, c adds, ? tells, g and a letter goes somewhere.
const off = document.documentElement.dataset.keys === 'off';

// A letter for every page of the navigation: the first of its name that no page before it has.
const letters = () => {
  const taken = new Map();
  // An entry with others below it leads where the first of them leads.
  const pages = [...all('.side a')].filter((link) => !link.nextElementSibling);
  for (const link of pages) {
    const name = link.textContent.trim().toLowerCase().replace(/[^a-z]/g, '');
    const letter = [...`${name}abcdefghijklmnopqrstuvwxyz`].find((one) => !taken.has(one));
    if (letter) taken.set(letter, link);
  }
  return taken;
};

const shortcuts = () => {
  const row = (keys, words) => [make('dt', {}, ...keys.flatMap((key, index) => [index > 0 ? ' ' : '', make('kbd', {}, key)])), make('dd', {}, words)];
  const close = make('button', { type: 'button', className: 'button', autofocus: true }, 'Close');
  const dialog = make('dialog', { className: 'dialog', ariaLabel: 'Keyboard shortcuts' }, make('h2', {}, 'Keyboard shortcuts'));
  const keys = make('dl', { className: 'keys' }, ...row(['Ctrl', 'K'], 'Search'), ...row(['Esc'], 'Close what is open'));
  const account = make('a', { href: document.querySelector('[data-account]').href }, 'My account');
  dialog.append(keys);
  if (off) {
    dialog.append(make('p', {}, 'Shortcuts of a single letter are turned off. Turn them on in ', account, '.'));
  } else {
    keys.append(...row(['/'], 'Go to the filter of a list'), ...row(['c'], 'Add something to a list'), ...row(['?'], 'Show this list'));
    const pages = [...letters()].map(([letter, link]) => make('li', {}, make('kbd', {}, 'g'), ' ', make('kbd', {}, letter), ` ${link.textContent.trim()}`));
    dialog.append(make('h3', {}, 'Go to a page'), make('ul', { className: 'keys-pages' }, ...pages),
      make('p', {}, 'Shortcuts of a single letter can be turned off in ', account, '.'));
  }
  dialog.append(make('div', { className: 'actions' }, close));
  close.addEventListener('click', () => dialog.close());
  ask(dialog);
};
for (const button of all('[data-shortcuts]')) {
  button.hidden = false;
  button.addEventListener('click', () => {
    const menu = button.closest('.menu');
    menu.open = false;
    menu.querySelector('summary').focus();
    shortcuts();
  });
}

let going = false;
document.addEventListener('keydown', (event) => {
  if (event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey) && opener) {
    event.preventDefault();
    palette(opener.dataset.palette);
    return;
  }
  const busy = event.target.closest?.('input, textarea, select, dialog[open], [contenteditable]');
  if (busy || off || event.ctrlKey || event.metaKey || event.altKey || !opener) return;
  if (going) {
    going = false;
    letters().get(event.key)?.click();
  } else if (event.key === '/') {
    const filter = document.querySelector('[data-filter]');
    if (filter) { event.preventDefault(); filter.focus(); }
  } else if (event.key === 'c') {
    document.querySelector('[data-create]')?.click();
  } else if (event.key === '?') {
    event.preventDefault();
    shortcuts();
  } else if (event.key === 'g') {
    going = true;
  }
});
