import { el, svg } from './dom.js';

export const statuses = ['scheduled', 'queued', 'launching', 'joining', 'waiting', 'recording', 'leaving', 'finalizing', 'completed', 'failed'];

export const isEnded = bot => bot.status === 'completed' || bot.status === 'failed';

const icons = {
  scheduled: 'M3 4h10v9H3zM3 7h10M6 2.5V4M10 2.5V4',
  queued: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Zm0 3v3.2l2.2 1.6',
  launching: 'M8 13V3M4 7l4-4 4 4',
  joining: 'M3 8h8M8 4l4 4-4 4',
  waiting: 'M4 2h8M4 14h8M5 2c0 4 6 4 6 12M11 2c0 4-6 4-6 12',
  recording: 'M8 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8Z',
  leaving: 'M13 8H5M8 4 4 8l4 4',
  finalizing: 'M3 5h10M3 8h7M3 11h4',
  completed: 'm3 8.5 3.2 3.2L13 5',
  partial: 'M8 3v6M8 12v.6',
  failed: 'm4 4 8 8M12 4l-8 8',
};

/** A recording that lacks something is neither all well nor failed. */
const isPartial = bot => bot.status === 'completed' && bot.recording?.complete === false;

export function badge(bot) {
  const look = isPartial(bot) || (bot.status === 'recording' && bot.reason) ? 'partial' : bot.status;
  return el('span', { class: `status ${look}` },
    svg('svg', { viewBox: '0 0 16 16', 'aria-hidden': 'true' }, svg('path', { d: icons[look] })),
    isPartial(bot) ? 'completed, partial' : bot.status);
}

const explanations = {
  meeting_taken: 'Another bot of its user was in the meeting until it was too late.',
  user_over_quota: 'Its user had as many bots as one may have, until it was too late.',
  start_missed: 'No manager was there to start it in time.',
  denied_by_host: 'The host refused to let the bot in.',
  waiting_room_timeout: 'Nobody let the bot in while it waited.',
  nobody_joined: 'Nobody else came into the call.',
  everyone_left: 'Everyone else had left the call.',
  meeting_ended: 'The meeting was over.',
  removed_by_host: 'The bot was removed from the call.',
  stop_requested: 'The bot was told to stop.',
  max_duration: 'The bot had stayed as long as it may.',
  silence: 'Nothing had been heard for as long as the bot bears it.',
  meeting_not_found: 'The platform does not know this meeting.',
  login_required: 'The meeting lets in nobody who is not signed in.',
  blocked_by_platform: 'The platform turned the bot’s browser away.',
  join_failed: 'The page could not be opened, or showed nothing by which the bot could join.',
  browser_crashed: 'The browser died or hung, and could not be brought back.',
  recorder_crashed: 'The recorder died without a word.',
  out_of_memory: 'The container had reached its memory limit.',
  storage_failed: 'The recording could not be written to the disk.',
  launch_failed: 'The container could not be made or started.',
  no_audio: 'Sound reached the bot that it could not hear.',
  finalization_failed: 'The audio is there, and could not be put together.',
};

/** A reason in plain words. */
export const explain = reason => explanations[reason] ?? `${phrase(reason)}.`;

export const phrase = word => word?.replaceAll('_', ' ');

export function length(seconds) {
  const whole = Math.floor(seconds ?? 0);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = number => String(number).padStart(2, '0');
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

export function bytes(count) {
  if (count < 1000) return `${count} B`;
  return count < 1e6 ? `${(count / 1e3).toFixed(0)} kB` : `${(count / 1e6).toFixed(1)} MB`;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' });
const appointment = new Intl.DateTimeFormat(undefined, { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });

export const timeOfDay = moment => clock.format(new Date(moment));
export const dateTime = moment => full.format(new Date(moment));

/** When a scheduled bot starts, where the reader is. */
export const starts = bot => (bot.status === 'scheduled' ? `starts ${appointment.format(new Date(bot.startAt))}` : undefined);

export function ago(moment) {
  const seconds = Math.max(0, (Date.now() - new Date(moment)) / 1000);
  if (seconds < 60) return 'just now';
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

/** What tells one meeting from another, without what they all have. */
export function meeting(address) {
  const url = new URL(address);
  const scenario = url.searchParams.get('scenario');
  return url.pathname.startsWith('/rehearsal/') ? `Rehearsal · ${scenario ?? url.pathname.slice(11)}` : url.host + url.pathname;
}

/** From -60 dBFS, hardly to be heard, to full scale. */
export const loudness = level => Math.max(0, Math.min(1, ((level ?? -127) + 60) / 60));
