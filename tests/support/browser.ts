/** Pages in headless Chromium. A test that imports this runs with all permissions: see tasks/gate/gate.ts. */

export { type Page, withPage } from "../../tasks/setup/browser.ts";
