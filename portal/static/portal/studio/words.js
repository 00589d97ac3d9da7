// Numbers and failures in words, in the reader's language.

const locale = document.documentElement.lang || "en";

export function number(value, digits = 0) {
  return value.toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

export function languageName(tag) {
  try {
    return new Intl.DisplayNames([locale], { type: "language" }).of(tag);
  } catch {
    return tag;
  }
}

export function voicesFound(count) {
  return interpolate(ngettext("%s voice found", "%s voices found", count), [number(count)]);
}

// What happened and what to do, for a Refusal. What is not known here the server said in a sentence.
export function sentence({ code, message, retryAfter }) {
  const seconds = retryAfter ?? 2;
  const again = interpolate(ngettext("Try again in %s second.", "Try again in %s seconds.", seconds), [seconds]);
  const known = {
    network: () => gettext("The server cannot be reached. Check your connection and try again."),
    cut: () => gettext("The connection broke off before the speech was complete. Play what has arrived, or try again."),
    empty_input: () => gettext("There is nothing to say yet. Write something first."),
    input_too_long: () => gettext("The text is too long for one take. Shorten it, or make it a long text."),
    insufficient_quota: () => gettext("This month's quota is used up. Ask an owner of the account for more, or wait for the next month."),
    concurrency_limit_exceeded: () => `${gettext("As many streams as are allowed are running already.")} ${again}`,
    rate_limit_exceeded: () => `${gettext("Too many requests in one minute.")} ${again}`,
    server_is_overloaded: () => `${gettext("Many people are being spoken to just now.")} ${again}`,
    queue_timeout: () => `${gettext("The queue did not move in time.")} ${again}`,
    engine_unavailable: () => `${gettext("The voice engine is not ready yet.")} ${again}`,
    shutting_down: () => `${gettext("The server is being restarted.")} ${again}`,
    database_unavailable: () => `${gettext("The database does not answer.")} ${again}`,
    storage_unavailable: () => `${gettext("The storage of recordings does not answer.")} ${again}`,
    consent_required: () => gettext("There is no consent that holds for this voice, or none for this language. Choose another voice, or make it anew with a consent."),
    unknown_voice: () => gettext("This voice is not there any more. Choose another one."),
    synthesis_failed: () => gettext("The engine failed at this text. Try another seed, or shorten the text."),
    internal_error: () => gettext("Something went wrong on our side, and it has been logged. Try again."),
    unsupported_by_model: () => gettext("The model that runs cannot do this. Ask the operators for one that can, such as VoxCPM2."),
    model_not_found: () => gettext("No model of this name speaks here. Choose another one."),
    invalid_value: () => interpolate(gettext("A setting is not accepted as it is (%s)."), [message]),
    missing_required_parameter: () => interpolate(gettext("Something is missing (%s)."), [message]),
    payload_too_large: () => gettext("This is too large to be sent."),
    request_timeout: () => gettext("It took too long to arrive. Check your connection and try again."),
    job_state: () => gettext("This cannot be done to the long text as it stands now. Reload the page."),
    changed_meanwhile: () => gettext("Somebody has changed this piece meanwhile. Copy what you wrote, and reload the page."),
    nobody: () => gettext("You are not signed in any more. Reload the page and sign in."),
    not_allowed: () => gettext("This is not allowed. Reload the page and try again, or ask an owner of the account."),
    account_deactivated: () => gettext("This account is switched off."),
    invalid_api_key: () => gettext("Incorrect API key, or one that was revoked or has expired."),
    missing_scope: () => gettext("This API key may not be used to speak."),
    not_found: () => gettext("It is not there any more. Reload the page."),
  };
  return known[code]?.() ?? (message || gettext("Something went wrong on our side, and it has been logged. Try again."));
}
