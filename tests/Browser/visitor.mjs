// Somebody who has no mouse: reads pages, moves with the Tab key, types. On the way everything is noted that a page must not do.
import axe from 'axe-core';

const levels = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const widths = [1280, 390];
const themes = ['light', 'dark'];
// A machine that runs four suites at once is slow; this ends only what hangs.
const patience = 60_000;
const mostStops = 100;

export class Visitor {
  findings = [];
  pages = [];

  static async arrive(browser, baseUrl) {
    const context = await browser.newContext({ baseURL: baseUrl, reducedMotion: 'reduce' });
    context.setDefaultTimeout(patience);
    return new Visitor(await context.newPage(), new URL(baseUrl).origin);
  }

  constructor(page, origin) {
    this.page = page;
    page.on('pageerror', (error) => this.note(`script error: ${error.message}`));
    // A refusal that the journey asked for (a wrong key) is in the console too; it is checked where it is asked for.
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) this.note(`console: ${message.text()}`);
    });
    page.on('request', (request) => {
      const url = new URL(request.url());
      if (url.origin !== origin && url.protocol !== 'data:') this.note(`request to another host: ${url}`);
    });
    page.on('response', (response) => {
      if (response.status() >= 500 || (response.status() === 404 && response.request().resourceType() !== 'document')) {
        this.note(`${response.status()} for ${response.url()}`);
      }
    });
  }

  note(finding) {
    this.findings.push(`${this.where()}: ${finding}`);
  }

  where() {
    const url = new URL(this.page.url());
    return url.protocol === 'about:' ? 'start' : url.pathname;
  }

  async open(path) {
    await this.page.goto(path);
  }

  /** Checks the page in both widths and both themes: nothing that axe finds, nothing wider than the screen. */
  async look() {
    this.pages.push(this.where());
    for (const width of widths) {
      await this.page.setViewportSize({ width, height: 900 });
      for (const colorScheme of themes) {
        await this.page.emulateMedia({ colorScheme });
        await this.inspect(`${width} px, ${colorScheme}`);
      }
    }
    await this.page.emulateMedia({ colorScheme: 'light' });
    await this.page.setViewportSize({ width: widths[0], height: 900 });
  }

  async inspect(view) {
    // Evaluated by the debugger, which the content policy of the page does not bind.
    if (!(await this.page.evaluate(() => 'axe' in window))) await this.page.evaluate(axe.source);
    const { violations } = await this.page.evaluate((tags) => axe.run(document, { runOnly: tags, resultTypes: ['violations'] }), levels);
    for (const { id, help, nodes } of violations) {
      this.note(`${view}: ${id}: ${help}: ${nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`);
    }
    const overhang = await this.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (overhang > 0) this.note(`${view}: scrolls sideways by ${overhang} px`);
  }

  /** Presses Tab until the control has the focus, and makes sure that one sees where it is. */
  async reach(role, name) {
    await this.tabTo(this.page.getByRole(role, { name, exact: true }).first(), `${role} ${name}`);
  }

  async tabTo(wanted, called) {
    await wanted.waitFor();
    for (let stops = 0; stops < mostStops; stops++) {
      if (await wanted.evaluate((element) => element === document.activeElement)) {
        const shown = await wanted.evaluate((element) => {
          const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
          return (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || boxShadow !== 'none';
        });
        if (!shown) this.note(`the focus on ${called} cannot be seen`);
        return;
      }
      await this.page.keyboard.press('Tab');
    }
    throw new Error(`The Tab key does not lead to ${called}`);
  }

  /** Fills in a field. Password fields have no role of their own, so fields go by their label. */
  async type(label, text) {
    const field = this.page.getByLabel(label, { exact: true }).first();
    await this.tabTo(field, `the field ${label}`);
    await this.page.keyboard.press('ControlOrMeta+a');
    await this.page.keyboard.type(text);
  }

  /** Opens or closes what is folded away. */
  async unfold(summary) {
    await this.tabTo(this.page.locator('summary', { hasText: summary }).first(), summary);
    await this.page.keyboard.press('Enter');
  }

  /** Follows a link or presses a button, and waits for the page that it leads to. */
  async press(role, name, path) {
    await this.reach(role, name);
    const arrived = this.page.waitForURL((url) => path === undefined || url.pathname === path, { waitUntil: 'load' });
    const loaded = this.page.waitForEvent('load');
    await this.page.keyboard.press('Enter');
    await Promise.all([arrived, loaded]);
  }

  async see(text) {
    await this.page.getByText(text).first().waitFor();
  }

  async cannotSee(text) {
    await this.page.getByText(text).first().waitFor({ state: 'hidden' });
  }

  async explain(error) {
    const text = await this.page.locator('body').innerText().catch(() => '');
    return `at ${this.where()}: ${error.message}\nThe page says: ${text.slice(0, 1500)}`;
  }
}
