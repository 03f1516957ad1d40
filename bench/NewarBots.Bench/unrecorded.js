// Opens a rehearsal with the recorder's browser settings, joins the call and does not record.
const { spawn } = require('node:child_process');
const { chromium } = require('/app/.playwright/package');
const { url, width, height, sandbox, args, executable, headless, inTheCall } = JSON.parse(process.argv[1]);

const open = async display => {
  const context = await chromium.launchPersistentContext('', {
    executablePath: executable,
    headless,
    chromiumSandbox: sandbox,
    args,
    locale: 'en-US',
    viewport: null,
    env: { ...display, HOME: '/tmp', PATH: '/usr/bin:/bin' },
  });
  const [page] = context.pages();
  await page.goto(url);
  await page.getByLabel('Your name').fill('Bench');
  await page.getByRole('button', { name: 'Turn off microphone' }).click();
  await page.getByRole('button', { name: 'Turn off camera' }).click();
  await page.getByRole('button', { name: 'Join now' }).click();
  await page.getByRole('button', { name: 'Leave call' }).waitFor({ state: 'attached' });
  console.log(inTheCall);
};

if (headless) {
  open({});
} else {
  const screen = spawn('Xvfb', ['-displayfd', '1', '-screen', '0', `${width}x${height}x24`, '-nolisten', 'tcp', '-noreset', '-extension', 'GLX'], { stdio: ['ignore', 'pipe', 'inherit'] });
  screen.stdout.once('data', number => open({ DISPLAY: `:${number.toString().trim()}` }));
}
