// Durations, sizes, times and levels as text.

export function formatDuration(seconds) {
  const whole = Math.floor(seconds ?? 0);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = number => String(number).padStart(2, '0');
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

export function formatBytes(count) {
  if (count < 1000) return `${count} B`;
  if (count < 1e6) return `${(count / 1e3).toFixed(0)} kB`;
  return count < 1e9 ? `${(count / 1e6).toFixed(1)} MB` : `${(count / 1e9).toFixed(1)} GB`;
}

const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const dateAndTime = new Intl.DateTimeFormat(undefined, {
  day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23', timeZoneName: 'short',
});
const upcoming = new Intl.DateTimeFormat(undefined, {
  weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZoneName: 'short',
});

/** The browser's time zone, such as `Europe/Paris, GMT+1`. */
export function timeZone() {
  const name = dateAndTime.resolvedOptions().timeZone;
  const offset = dateAndTime.formatToParts().find(part => part.type === 'timeZoneName').value;
  return name === offset ? name : `${name.replaceAll('_', ' ')}, ${offset}`;
}

export const formatTime = moment => time.format(new Date(moment));
export const formatDateTime = moment => dateAndTime.format(new Date(moment));

/** When a scheduled bot starts, in the browser's time zone. */
export const startLabel = bot => (bot.status === 'scheduled' ? `starts ${upcoming.format(new Date(bot.startAt))}` : undefined);

export function formatAge(moment) {
  const seconds = Math.max(0, (Date.now() - new Date(moment)) / 1000);
  if (seconds < 60) return 'just now';
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

/** A short name for a meeting: its URL without the scheme and parameters, or the rehearsal's scenario. */
export function meetingLabel(address) {
  const url = new URL(address);
  const scenario = url.searchParams.get('scenario');
  return url.pathname.startsWith('/rehearsal/') ? `Rehearsal · ${scenario ?? url.pathname.slice(11)}` : url.host + url.pathname;
}

/** A level in dBFS as a bar length: 0 for -60 dBFS (barely audible) and below, 1 for full scale. */
export const levelFraction = level => Math.max(0, Math.min(1, ((level ?? -127) + 60) / 60));
