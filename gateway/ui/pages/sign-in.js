import { failureOf, post } from '../api.js';
import { el } from '../dom.js';
import { here, link } from '../route.js';

export const title = () => 'Sign in';

let signedIn = () => {};
/** @param {() => void} then called once a session has begun */
export const onSignedIn = (then) => {
  signedIn = then;
};
/** Where somebody wanted to go before they had to sign in. */
export const wanted = () => here().query.get('to') || link('fleet');

/**
 * A token for a session: the browser keeps a cookie that scripts cannot read, and no token.
 *
 * @param {HTMLElement} root
 */
export function open(root) {
  const field = el('input', {
    ...{
      id: 'token',
      name: 'token',
      type: 'password',
      required: true,
      autocomplete: 'current-password',
    },
    ...{
      autocapitalize: 'none',
      spellcheck: 'false',
      'aria-describedby': 'token-help sign-in-error',
    },
  });
  const error = el('p', { id: 'sign-in-error', class: 'bad-text', role: 'alert' });
  const submit = el('button', { class: 'primary' }, 'Sign in');
  const form = el(
    'form',
    { class: 'card narrow' },
    el('label', { for: 'token' }, 'Token', field),
    el(
      'p',
      { id: 'token-help', class: 'quiet' },
      'The first start of the gateway printed one for its admin; an admin makes others under Settings, or with ',
      el('code', {}, 'npx whetstone tokens'),
      '.',
    ),
    error,
    submit,
  );
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    error.textContent = '';
    submit.setAttribute('aria-busy', 'true');
    try {
      await post('/session', { token: field.value.trim() });
      signedIn();
    } catch (refused) {
      const { status, message, hint } = failureOf(refused);
      error.textContent =
        status === 401
          ? 'No such token, or it is revoked or over.'
          : `${message}${hint ? `: ${hint}` : ''}`;
      field.select();
    } finally {
      submit.removeAttribute('aria-busy');
    }
  });
  root.append(el('h1', {}, 'Sign in'), form);
  field.focus();
}
