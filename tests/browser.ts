/** Pages in headless Chromium. A test that imports this runs with all permissions: see tasks/test.ts. */

export { type Page, withPage } from "../tasks/browser.ts";
