// Comfort for pages that work without it.
'use strict';

const all = (selector) => document.querySelectorAll(selector);

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
  setInterval(async () => {
    if (document.hidden || live.contains(document.activeElement)) return;
    // Looking by itself is no sign that somebody is there.
    const reply = await fetch(from, { headers: { 'x-keyward-poll': '1' } }).catch(() => null);
    if (reply?.ok && !reply.redirected) live.innerHTML = await reply.text();
  }, Number(live.dataset.every) * 1000);
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
    for (const row of rows) {
      const [change, view] = [box(row, 'change'), box(row, 'view')];
      if (view) {
        if (change?.checked) view.checked = true;
        view.setAttribute('aria-disabled', String(Boolean(change?.checked)));
        view.title = change?.checked ? 'Included in Change' : '';
      }
      if (change?.checked) { changes += 1; row.dataset.change.split(' ').forEach((one) => chosen.add(one)); }
      if (view?.checked) { views += 1; chosen.add(row.dataset.view); }
      for (const some of row.querySelectorAll('input[name="some"]:checked')) chosen.add(some.value);
      const text = row.textContent.toLowerCase().includes(filter.value.toLowerCase());
      row.hidden = !text || (only.checked && !change?.checked && !view?.checked);
    }
    grid.querySelector('[data-grid-count]').textContent = `${views} View, ${changes} Change of ${rows.length}`;
    grid.querySelector('[data-grid-summary]').textContent = [...chosen].sort().join(' · ') || 'no permission';
  };
  grid.querySelector('[data-grid-tools]').hidden = false;
  grid.addEventListener('click', (event) => {
    if (event.target.getAttribute?.('aria-disabled') === 'true') event.preventDefault();
  });
  grid.addEventListener('input', update);
  grid.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.target.type !== 'checkbox' || !event.target.name) return;
    const shown = rows.filter((row) => !row.hidden && box(row, event.target.name));
    const next = shown[shown.indexOf(event.target.closest('tr')) + step];
    if (next) { event.preventDefault(); box(next, event.target.name).focus(); }
  });
  update();
}

// A secret: nobody leaves without having it by accident.
const secret = document.querySelector('[data-secret]');
if (secret) {
  let taken = false;
  const stored = secret.querySelector('[data-stored]');
  const done = secret.querySelector('[data-done]');
  const sure = stored.querySelector('input');
  stored.hidden = false;
  const allow = () => done.setAttribute('aria-disabled', String(!sure.checked));
  sure.addEventListener('input', allow);
  allow();
  done.addEventListener('click', (event) => { if (!sure.checked) event.preventDefault(); else taken = true; });
  for (const button of secret.querySelectorAll('[data-copy]')) button.addEventListener('click', () => { taken = true; });
  for (const button of secret.querySelectorAll('[data-download]')) {
    button.hidden = false;
    button.addEventListener('click', () => {
      const text = document.getElementById(button.dataset.download).value;
      const link = document.createElement('a');
      link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
      link.download = '.env';
      link.click();
      URL.revokeObjectURL(link.href);
      taken = true;
    });
  }
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
  const dialog = document.createElement('dialog');
  dialog.className = 'dialog palette';
  dialog.setAttribute('aria-label', 'Search');
  dialog.innerHTML = '<label class="filter"><span>Search pages, tenants, people, clients, identifiers</span><input type="search" autocomplete="off"></label><div aria-live="polite"></div>';
  document.body.append(dialog);
  const before = document.activeElement;
  dialog.addEventListener('close', () => { dialog.remove(); before?.focus(); });
  const [input, found] = [dialog.querySelector('input'), dialog.querySelector('div')];
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
      found.querySelector('a')?.click();
    }
  });
  dialog.showModal();
  input.focus();
  await look();
};
opener?.addEventListener('click', (event) => { event.preventDefault(); palette(opener.dataset.palette); });

// Keys: Ctrl K searches, / goes to the filter, c adds, ? tells, g and a letter goes somewhere.
let going = false;
document.addEventListener('keydown', (event) => {
  if (event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey) && opener) {
    event.preventDefault();
    palette(opener.dataset.palette);
    return;
  }
  const busy = event.target.closest?.('input, textarea, select, dialog, [contenteditable]');
  const off = document.documentElement.dataset.keys === 'off';
  if (busy || off || event.ctrlKey || event.metaKey || event.altKey || !opener) return;
  if (going) {
    going = false;
    const link = [...all('.side a')].find((one) => one.textContent.trim().toLowerCase().startsWith(event.key));
    link?.click();
  } else if (event.key === '/') {
    const filter = document.querySelector('[data-filter]');
    if (filter) { event.preventDefault(); filter.focus(); }
  } else if (event.key === 'c') {
    document.querySelector('[data-create]')?.click();
  } else if (event.key === 'g') {
    going = true;
  }
});

// Times are those of the browser for whoever wants it so.
if (document.documentElement.dataset.times === 'local') {
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
  for (const time of all('time')) time.title = `${format.format(new Date(time.dateTime))} (${time.title})`;
}
