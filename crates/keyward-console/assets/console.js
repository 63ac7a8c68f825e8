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
