// What people do with the pages. A journey takes a visitor and what its test gives it; its name is the export.

export async function a_stranger_looks_around(visitor) {
  await visitor.open('/');
  await visitor.see('One open backend for AI');
  await visitor.look();
  await visitor.press('link', 'Sign in', '/signin');
  await visitor.look();
}

export async function sign_in_and_out_with_a_key(visitor, { key }) {
  await visitor.open('/');
  await visitor.press('link', 'Sign in', '/signin');
  await visitor.type('API key', 'stoa_wrong');
  await visitor.press('button', 'Sign in', '/signin');
  await visitor.see('This key opens nothing here.');
  await visitor.look();
  await visitor.type('API key', key);
  await visitor.press('button', 'Sign in', '/');
  await visitor.see('Usage today');
  await visitor.look();
  await visitor.press('button', 'Sign out', '/');
  await visitor.see('One open backend for AI');
  await visitor.cannotSee('Sign out');
}

export async function skip_to_the_content(visitor) {
  await visitor.open('/');
  await visitor.reach('link', 'Skip to content');
  await visitor.page.keyboard.press('Enter');
  const focused = await visitor.page.evaluate(() => document.activeElement.id);
  if (focused !== 'content') throw new Error(`The skip link leads to '${focused}'`);
}
