// Why a recording or a voice was refused, and what to do.

import { reason as ofField } from "../studio/refusals.js";

const UNREADABLE = () => gettext("This file cannot be read. Send a whole WAV, FLAC, MP3, AAC, Ogg, WebM or MP4 recording.");
const KNOWN = {
  invalid_audio: UNREADABLE,
  unsupported_container: UNREADABLE,
  unsupported_codec: UNREADABLE,
  non_finite_samples: UNREADABLE,
  unsupported_sample_rate: () => gettext("Its sample rate is none that is taken here. Send it with 16 to 48 kHz."),
  unsupported_channels: () => gettext("It has too many channels. Send it in mono or stereo."),
  payload_too_large: () => gettext("The file is too large. Send at most 10 MiB."),
  audio_too_short: () => gettext("It is too short. Record at least one second, better five to twelve."),
  audio_too_long: () => gettext("It is too long. Send at most 30 seconds, or 15 where the words are given."),
  audio_silent: () => gettext("Nothing can be heard in it. Check the microphone and record again."),
  no_speech: () => gettext("No speech can be heard in it. Record somebody who reads, without music."),
  audio_clipped: () => gettext("It is clipped: too loud for the microphone. Record it with less gain, or from further away."),
  audio_too_noisy: () => gettext("It is too noisy. Record in a quiet room, nearer to the microphone."),
  transcript_mismatch: () => gettext("The words do not fit its length. Write exactly what is spoken, or leave them out."),
  name_taken: () => gettext("This account has a voice of that name. Choose another one."),
  voice_limit_reached: () => gettext("There are as many as there may be. Erase one that is not needed."),
  transcriber_unavailable: () => gettext("What hears the words does not answer just now. Try again later."),
  comparison_unavailable: () => gettext("What compares voices does not answer just now. Try again later."),
};

// The server names flaws in sentences of its own; by these words of them each is known.
const FLAWS = {
  "is clipped": () => gettext("It is clipped, and the voice may sound harsh. Record it with less gain."),
  "above the noise": () => gettext("It is noisy, and the voice will carry that. Record in a quieter room."),
  "very quiet": () => gettext("It is very quiet. Go nearer to the microphone."),
  "over a telephone": () => gettext("It sounds as over a telephone. Use a better microphone."),
};

// `form` is the one that was sent; its fields are called as those of the API are.
export function reason(refusal, form) {
  const { code, param, message } = refusal;
  if (code === "recording_has_warnings") {
    return Object.keys(FLAWS).filter((words) => message.includes(words)).map((words) => FLAWS[words]()).join(" ");
  }
  if (code === "invalid_value" && param === "name") {
    return gettext("No voice can be called that: a built-in one is, or it holds signs that cannot be seen. Choose another name.");
  }
  return KNOWN[code]?.() ?? ofField(refusal, form);
}
