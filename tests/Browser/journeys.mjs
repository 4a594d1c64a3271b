// What people do with the pages. A journey takes a visitor and what its test gives it; its name is the export.

export async function a_stranger_looks_around(visitor) {
  await visitor.open('/');
  await visitor.see('One open backend for AI');
  await visitor.look();
  await visitor.press('link', 'Sign in', '/signin');
  await visitor.look();
  await visitor.open('/console/jobs');
  await visitor.look();
}

export async function skip_to_the_content(visitor) {
  await visitor.open('/');
  await visitor.reach('link', 'Skip to content');
  await visitor.page.keyboard.press('Enter');
  const focused = await visitor.page.evaluate(() => document.activeElement.id);
  if (focused !== 'content') throw new Error(`The skip link leads to '${focused}'`);
}

export async function sign_in_and_out_with_a_key(visitor, { key }) {
  await visitor.open('/');
  await visitor.press('link', 'Sign in', '/signin');
  await visitor.unfold('Sign in with an API key');
  await visitor.type('API key', 'stoa_wrong');
  await visitor.press('button', 'Sign in with the key', '/signin/key');
  await visitor.see('This key opens nothing here.');
  await visitor.look();
  await visitor.type('API key', key);
  await visitor.press('button', 'Sign in with the key', '/');
  await visitor.see('Usage today');
  await visitor.look();
  await visitor.press('button', 'Sign out', '/');
  await visitor.see('One open backend for AI');
  await visitor.cannotSee('Sign out');
}

export async function first_run(visitor, { token }) {
  const [email, password] = ['ada@example.org', 'a longer engine than theirs'];
  await visitor.open(`/setup?token=${token}`);
  await visitor.see('Welcome to Stoa');
  await visitor.look();
  await visitor.type('Organization', 'Analytical Engines');
  await visitor.type('Your name', 'Ada');
  await visitor.type('E-mail address', email);
  await visitor.type('Password', password);
  await visitor.press('button', 'Set up Stoa', '/setup');
  await visitor.see('Stoa is yours');
  await visitor.look();
  await visitor.press('link', 'Go to the overview', '/');
  await visitor.look();

  await visitor.press('link', 'Keys', '/console/keys');
  await visitor.look();
  await visitor.type('What is it for?', 'Laptop');
  await visitor.press('button', 'Make the key', '/console/keys');
  await visitor.see('The key Laptop');
  await visitor.look();
  await visitor.press('link', 'Members', '/console/members');
  await visitor.look();
  await visitor.press('link', 'Audit', '/console/audit');
  await visitor.see('key.create');
  await visitor.look();
  await visitor.press('link', 'People', '/console/people');
  await visitor.look();
  await visitor.unfold('New password for Ada');
  await visitor.press('button', 'Make the link for Ada');
  await visitor.see('/password-reset?token=');
  await visitor.look();
  const link = await visitor.page.locator('.once code').innerText();
  await visitor.press('link', 'Your account: Ada', '/console/account');
  await visitor.look();
  await visitor.type('New e-mail address', email);
  await visitor.type('Your password', 'not this one');
  await visitor.press('button', 'Change the address', '/console/account/email');
  await visitor.see('The password is wrong');
  await visitor.look();

  await visitor.press('button', 'Sign out', '/');
  await visitor.cannotSee('Ada');
  await visitor.press('link', 'Sign in', '/signin');
  await visitor.type('E-mail address', email);
  await visitor.type('Password', 'not this one');
  await visitor.press('button', 'Sign in', '/signin');
  await visitor.see('wrong');
  await visitor.look();
  await visitor.type('E-mail address', email);
  await visitor.type('Password', password);
  await visitor.press('button', 'Sign in', '/');
  await visitor.see('Ada');
  await visitor.press('button', 'Sign out', '/');

  await visitor.open(link.slice(link.indexOf('/password-reset')));
  await visitor.see('Set a new password');
  await visitor.look();
  await visitor.type('New password', 'an even longer engine');
  await visitor.press('button', 'Set the password and sign in', '/');
  await visitor.see('Ada');
}

export async function a_dead_job(visitor, { key, job }) {
  await visitor.open('/console/jobs');
  await visitor.press('link', 'Sign in', '/signin');
  await visitor.unfold('Sign in with an API key');
  await visitor.type('API key', key);
  await visitor.press('button', 'Sign in with the key');
  await visitor.press('link', 'Jobs', '/console/jobs');
  await visitor.see('It did not work');
  await visitor.look();
  await visitor.open(`/console/jobs/${job}`);
  await visitor.see('It did not work');
  await visitor.look();
}
