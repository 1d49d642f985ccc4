import { el } from '../dom.js';

/**
 * Asks before something goes out to devices.
 *
 * @param {{ title: string, text: string, act: string, danger?: boolean, reason?: string }} about
 *   `reason`: asks for one, under this name
 * @returns {Promise<{ reason: string } | null>} null where it was called off
 */
export function confirm({ title, text, act, danger = false, reason }) {
  const field = reason
    ? el('input', { id: 'confirm-reason', name: 'reason', maxlength: 300, autocomplete: 'off' })
    : null;
  const dialog = el(
    'dialog',
    { class: 'confirm', 'aria-labelledby': 'confirm-title' },
    el(
      'form',
      { method: 'dialog' },
      el('h2', { id: 'confirm-title' }, title),
      el('p', {}, text),
      field ? el('label', { for: 'confirm-reason' }, reason, field) : null,
      el(
        'div',
        { class: 'row end' },
        el('button', { type: 'submit', value: 'no', formnovalidate: true }, 'Cancel'),
        el('button', { type: 'submit', value: 'yes', class: danger ? 'danger' : 'primary' }, act),
      ),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  // Enter in the field is the deed, not the first button of the form
  field?.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    dialog.close('yes');
  });
  field?.focus();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      const said = dialog.returnValue === 'yes' ? { reason: field?.value.trim() ?? '' } : null;
      dialog.remove();
      resolve(said);
    });
  });
}
