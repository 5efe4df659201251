/** The key that every form sends back (Django's CSRF token), as the cookie holds it now: signing in exchanges it. */
export function formKey() {
  return document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";
}
