import { el, svg } from './dom.js';

export const statuses = ['scheduled', 'queued', 'launching', 'joining', 'waiting', 'recording', 'leaving', 'finalizing', 'completed', 'failed', 'cancelled'];

export const endStatuses = ['completed', 'failed', 'cancelled'];

export const isEnded = bot => endStatuses.includes(bot.status);

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
  cancelled: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2ZM4 4l8 8',
};

/** A playable recording in which a listener misses something. */
const isPartial = bot => bot.status === 'completed' && bot.recording?.complete === false;

export function badge(bot) {
  const look = isPartial(bot) || (bot.status === 'recording' && bot.reason) ? 'partial' : bot.status;
  return el('span', { class: `status ${look}` },
    svg('svg', { viewBox: '0 0 16 16', 'aria-hidden': 'true' }, svg('path', { d: icons[look] })),
    isPartial(bot) ? 'completed, partial' : bot.status);
}

/** What a listener misses in an incomplete recording, in one or two sentences. */
export function lossOf(bot) {
  if (!isPartial(bot)) return undefined;
  const { durationSeconds, missingSeconds, warning } = bot.recording;
  if (warning?.text) return withoutEntries(warning.text);
  return missingSeconds ? `${missingSeconds.toFixed(1)} of ${Math.max(durationSeconds, missingSeconds).toFixed(1)} s are missing.` : 'Part of the recording, such as its end, may be missing.';
}

const explanations = {
  meeting_taken: 'Another bot of the same user stayed in this meeting until it was too late to start.',
  user_over_quota: 'The user stayed at the limit of active bots until it was too late to start.',
  start_missed: 'No manager was running when the bot was due to start.',
  denied_by_host: 'The host declined the bot’s request to join.',
  waiting_room_timeout: 'Nobody admitted the bot from the waiting room in time.',
  nobody_joined: 'Nobody else joined the call.',
  everyone_left: 'Everyone else left the call.',
  meeting_ended: 'The meeting ended.',
  removed_by_host: 'The bot was removed from the call.',
  stop_requested: 'The bot was stopped on request.',
  max_duration: 'The bot reached its maximum duration.',
  silence: 'The call was silent for longer than the bot’s silence timeout.',
  meeting_not_found: 'The meeting does not exist, or its code has expired.',
  login_required: 'The meeting admits signed-in users only.',
  blocked_by_platform: 'The platform blocked the bot’s browser.',
  join_failed: 'The meeting page did not load, or the bot could not find a way to join on it.',
  browser_crashed: 'The browser crashed or hung, and restarting it did not help.',
  network_lost: 'The connection to the call was lost, and rejoining failed.',
  recorder_crashed: 'The recorder crashed without reporting an error.',
  out_of_memory: 'The bot’s container reached its memory limit.',
  evicted: 'The cluster evicted the bot’s pod, for example because its node ran out of memory or disk space.',
  preempted: 'The cluster ended the bot’s pod to make room for one with a higher priority.',
  node_lost: 'The node of the bot’s pod was shut down or removed from the cluster.',
  storage_failed: 'The recording could not be written to disk.',
  launch_failed: 'The bot’s container could not be created or started.',
  no_audio: 'The bot receives audio that it cannot capture, or its connection to the call is lost.',
  container_pending: 'The bot’s container waits for a machine, its image or its storage.',
  container_unreachable: 'The machine of the bot’s container does not answer. The bot may still record.',
  finalization_failed: 'The audio was recorded, but could not be assembled into one file.',
};

/** The text without what was recognized on the meeting's page, which is in the words of the selector pack. */
const withoutEntries = text => text?.replace(/: it shows \[[^\]]*\]/g, '');

/** One sentence about a bot's reason. */
export const explainReason = reason => explanations[reason] ?? `${toWords(reason)}.`;

/** The bot's error, unless it only says what was recognized on the meeting's page. */
export function plainError(bot) {
  const text = withoutEntries(bot.error);
  return / shows (\[|[a-z_]+\.[a-z_]+\.$)/.test(text) ? undefined : text;
}

/** `denied_by_host` as `denied by host`. */
export const toWords = identifier => identifier?.replaceAll('_', ' ');
