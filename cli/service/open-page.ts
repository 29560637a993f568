/** Waits beside a service until it responds, and opens its page in the browser. */
import { spawn } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';

const [url = '', service = ''] = process.argv.slice(2);
const isReady = () =>
  fetch(new URL('health/ready', url)).then(
    ({ ok }) => ok,
    () => false,
  );

function isRunning(): boolean {
  try {
    return process.kill(Number(service), 0);
  } catch {
    return false;
  }
}

while (isRunning() && !(await isReady())) await wait(250);
if (isRunning()) {
  const browser = process.platform === 'darwin' ? 'open' : 'xdg-open';
  spawn(browser, [url], { stdio: 'ignore' }).on('error', ({ message }) => {
    console.error(`No browser opens: ${message}. The page is at ${url}`);
  });
}
