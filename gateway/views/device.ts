import Type, { type Static } from 'typebox';
import { byName, count, oneOf, orNull, share, text, time, timeOrNull, version } from './schema.ts';

/** How far the flash of a device is worn. */
export const WearView = Type.Object({
  boots: count('sessions that it opened'),
  updates: count('transfers that began'),
  erases: count('erases of its most worn page, at most'),
  cycles: orNull(
    Type.Number(),
    "erases that its maker promises of a page; null where the board's profile says nothing",
  ),
  share: orNull(Type.Number(), 'of the promised erases, 0 to 1 and more'),
  worn: Type.Boolean({ description: 'it nears the erases that it is rated for' }),
});
export type WearView = Static<typeof WearView>;

/** What labels say: a share, with its 95 % interval. */
export const MeasuredView = Type.Object({
  accuracy: share('of the labelled windows'),
  low: share('of the interval'),
  high: share('of the interval'),
  labels: count('that it rests on'),
});
export type MeasuredView = Static<typeof MeasuredView>;

/** What scores let expect, with a 95 % interval, and how far earlier such estimates were off. */
export const EstimatedView = Type.Object({
  accuracy: share('that is to be expected'),
  low: share('of the interval'),
  high: share('of the interval'),
  windows: count('that it is of'),
  labels: count('of this release from which the meaning of its scores was learned'),
  past: orNull(
    Type.Object({
      estimates: Type.Number(),
      meanError: Type.Number(),
      bias: Type.Number(),
      held: Type.Number({ description: 'share of them whose interval held the truth' }),
    }),
    'estimates that labels judged later, ten windows each; null before the first',
  ),
});
export type EstimatedView = Static<typeof EstimatedView>;

/** How a device's link is secured, and what was turned away there. */
export const LinkView = Type.Object({
  suite: orNull(
    Type.Enum(['ccm', 'mac', 'none']),
    'null for a device that has not been here since the gateway started',
  ),
  weak: Type.Boolean({ description: 'a real board under less than it could, or under none' }),
  generation: orNull(Type.Integer(), 'of its keys; null without'),
  badFrames: count('of its port: frames that were damaged or opened under no key'),
  replays: count('of its port: frames that had come before'),
  waiting: count('messages that wait for the port'),
  refused: byName(
    Type.Integer(),
    'what it refused of what was offered, and impostors with its keys: how often, by name',
  ),
});
export type LinkView = Static<typeof LinkView>;

/** A device, as it stands now. */
export const DeviceView = Type.Object({
  id: Type.String(),
  board: Type.String(),
  connected: Type.Boolean(),
  synthetic: Type.Boolean({ description: 'no real sensor is behind it' }),
  wearer: orNull(Type.String(), 'who wears it, where that is known'),
  release: count('that it runs; 0 for none'),
  version: orNull(version, 'that it runs; null where this gateway never released it'),
  scope: orNull(Type.String(), 'of its version'),
  state: oneOf(['empty', 'confirmed', 'trial'], 'how far its version is trusted'),
  accuracy: orNull(Type.Number(), 'of the newest labelled windows; null without labels'),
  score: orNull(Type.Number(), 'mean of the newest scores, in sixteenths of a logit'),
  history: Type.Array(
    Type.Object({
      at: time('of the point'),
      accuracy: orNull(Type.Number(), 'as above, at that time'),
      score: orNull(Type.Number(), 'as above, at that time'),
    }),
    {
      description:
        'of this run of the gateway, oldest first, for a line beside its name; /api/history has the rest',
    },
  ),
  alarm: orNull(
    Type.Object({
      since: time('when it began'),
      message: Type.String(),
      what: text('the kind of alarm'),
      silencedUntil: timeOrNull('null where nobody silenced it'),
    }),
    'null while nothing is wrong',
  ),
  measured: orNull(MeasuredView, 'accuracy on the newest labelled windows; null without labels'),
  estimated: orNull(
    EstimatedView,
    'accuracy on the newest windows as scores let expect it; null before there are enough',
  ),
  samples: count('stored windows'),
  dropped: count('windows that the device had to evict before they were acknowledged'),
  wear: orNull(WearView, 'erases of its flash; null before they are counted'),
  link: LinkView,
  lastSeen: timeOrNull('when it last said hello or its newest stored window came'),
});
export type DeviceView = Static<typeof DeviceView>;

/** A device in few bytes, so that a thousand of them can be asked for often: /api/devices/ID has the rest. */
export const DeviceSummary = Type.Object({
  ...Type.Omit(DeviceView, ['history', 'wear', 'link', 'estimated']).properties,
  estimated: orNull(
    Type.Pick(EstimatedView, ['accuracy', 'low', 'high', 'windows']),
    'accuracy on the newest windows as scores let expect it; null before there are enough',
  ),
  link: Type.Pick(LinkView, ['suite', 'weak']),
  lately: Type.Array(orNull(Type.Number(), 'null without labels'), {
    description:
      'accuracy of late, oldest first, for a line beside its name; none in a fleet of more than a hundred',
  }),
});
export type DeviceSummary = Static<typeof DeviceSummary>;
