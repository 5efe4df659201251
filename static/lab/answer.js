/** What the lab answers. Throws where it does not: no network, a refusal, or the sign-in, whose page is no answer to this. */
export async function answerOf(address, more = {}) {
  const response = await fetch(address, { ...more, redirect: "error" });
  if (!response.ok) throw new Error(response.status);
  return response;
}

/** The same as text; null where there is none. */
export const textOf = (address, more) => answerOf(address, more).then((response) => response.text()).catch(() => null);
