// The live console: one page, fed by server-sent events. Nothing is loaded from elsewhere.
// Parts: words, DOM, formats, charts, sections, actions, the stream, the start.

// ---- Words. Both tables have the same keys; a test holds them against each other.
export const WORDS = {
  en: {
    skip: "Skip to the content", language: "Language", theme: "Theme", theme_auto: "Auto", theme_light: "Light", theme_dark: "Dark",
    logout: "Log out", login_title: "Who is there?", login_words: "This console shows how your instances are. Enter its token.",
    token: "Token", login: "Log in", no: "No, go back",
    link_waiting: "connecting…", link_live: "live", link_lost: "not connected",
    stale: "Nothing has come from the console's server for {age}. What you see is old; the page goes on trying.",
    not_running: "No checks are being made: the monitor was not started.",
    forbidden: "You may not see this console.", throttled: "Too many tries. Wait {s} s, then try again.",
    healthy: "healthy", degraded: "degraded", unhealthy: "unhealthy", unknown: "unknown",
    health: "Health", all_well: "Everything that is measured is as it should be.", since: "since {at}",
    more: "and {n} more", first_check: "The first check has not been made yet.", now_healthy: "Health is now: {status}.",
    day: "24 h", week: "7 d",
    strip_words: "{span}: {share} up, {many} interruptions", strip_none: "{span}: not measured yet",
    legend_h: "healthy", legend_d: "degraded", legend_u: "unhealthy", legend_q: "unknown",
    in_flight: "Calls in flight", memory: "Memory", cpu: "CPU", lag: "Loop lag", server: "Server",
    instances: "Instances", filter: "Find an instance", sort: "Order", sort_worst: "Worst first", sort_name: "By name",
    shown: "{n} of {all}", none_found: "No instance has this name.", no_instances: "No instance is known yet.",
    name: "Name", status: "Health", state: "Connection", last_event: "Last event",
    state_open: "open", state_close: "closed", state_connecting: "connecting", state_none: "not told", state_dead: "open, but dead",
    changes: "What changed", no_changes: "Nothing has changed since the console began to look.",
    to_status: "{from} → {to}", paused: "Outbox paused: {reason}", refusals_lately: "{n} messages refused lately",
    scan: "Scan with WhatsApp: Settings → Linked devices", typed: "or type this code into the phone", qr_alt: "QR code that links a phone to {name}",
    new_code: "New code", expired: "This code has expired.", must_pair: "A phone must be linked to it again.", may_not_pair: "Somebody who may act can show its code here.",
    speed: "Response time", errors: "Errors", messages: "Messages", hour: "1 hour", plot_day: "24 hours", span: "Time shown",
    p50: "median (p50)", p95: "slowest 5 % (p95)", error_rate: "failed requests", per_second: "messages per second",
    limit: "limit: {status}", chart_none: "Nothing has been measured in this time.",
    chart_words: "{label}: {last} now, between {low} and {high}", outlook: "Unusual, and expected", no_outlook: "Nothing unusual, and no limit in sight.",
    delivery: "Delivery", delivery_span: "messages accepted in the last {m} min", accepted: "accepted", at_server: "at WhatsApp", delivered: "delivered", read: "read", refused: "refused",
    unacked: "{share} of sends got no acknowledgement in time", refused_why: "Refused in the last 24 h", no_sends: "Nothing was sent in this time.", code: "Code",
    calls_title: "Retries and protection", calls_total: "Calls", calls_failed: "Failed", retries: "Retries", retry_rate: "Retried with success", unknown_outcomes: "Unknown outcomes",
    breakers: "Circuit breakers", breakers_closed: "All are closed.", closed: "closed", open: "open", half_open: "trying", breaker_why: "{share} of {n} calls failed",
    outbox: "Outbox", inbox: "Inbox of webhooks", not_read: "It has not been read yet.",
    unreadable: "Its store cannot be read ({error}). What you see is old.",
    waiting: "Waiting", oldest: "Oldest", sent_rate: "Sent per second", wait_p95: "Wait (p95)", unknown_rows: "Unknown", dead_letters: "Dead letters", accepted_events: "Accepted", duplicates: "Copies", rejected: "Rejected",
    rows_title: "Messages that need somebody", letters_title: "Events whose handlers failed", no_rows: "None.",
    key: "Key", instance: "Instance", when: "When", reason: "Reason", error: "Error", attempts: "Attempts", kind: "Event", operation: "Operation", took: "Took",
    queued: "queued", sending: "sending", failed: "failed", expired_state: "expired", refused_state: "refused", unknown_state: "unknown", row_state: "State", cancelled: "cancelled",
    was_sent: "It was sent", was_not_sent: "It was not sent", cancel: "Cancel", retry: "Send again", replay: "Replay", replay_all: "Replay all", discard: "Discard", pause: "Pause outbox", resume: "Resume outbox",
    ask_was_sent: "Note that this message was sent?", ask_was_not_sent: "Note that it was not sent? It will be sent then.", ask_cancel: "Take this message back? It will not be sent.", ask_retry: "Send this message again?",
    ask_replay: "Handle this event again?", ask_replay_all: "Handle all dead letters again?", ask_discard: "Delete this event for good?", ask_pause: "Pause the outbox for this instance?", ask_resume: "Let the outbox go on for this instance?",
    look_first: "Look at the phone first: a wrong answer sends it twice, or never.", done_n: "Done: {n}.", act_failed: "It could not be done: {why}",
    alerts: "Alerts", no_alerts: "No alert is active.", history: "Those that are over", no_history: "None so far.", info: "info", warning: "warning", critical: "critical", lasted: "lasted {time}",
    recent_calls: "Recent calls", by_kind: "Events by kind", no_calls: "No call was seen yet.", no_events: "No event was seen yet.", per_minute: "per minute", total: "total", answered: "Answer",
    ago: "{time} ago", just_now: "just now", never: "never", s: "s", min: "min", h: "h", d: "d",
  },
  pt: {
    skip: "Ir para o conteúdo", language: "Idioma", theme: "Tema", theme_auto: "Automático", theme_light: "Claro", theme_dark: "Escuro",
    logout: "Sair", login_title: "Quem está aí?", login_words: "Este painel mostra como estão as suas instâncias. Digite o token.",
    token: "Token", login: "Entrar", no: "Não, voltar",
    link_waiting: "conectando…", link_live: "ao vivo", link_lost: "sem conexão",
    stale: "Nada chega do servidor do painel há {age}. O que aparece aqui é antigo; a página continua tentando.",
    not_running: "Nenhuma verificação está sendo feita: o monitor não foi iniciado.",
    forbidden: "Você não tem acesso a este painel.", throttled: "Tentativas demais. Espere {s} s e tente de novo.",
    healthy: "saudável", degraded: "com problemas", unhealthy: "fora do ar", unknown: "desconhecido",
    health: "Saúde", all_well: "Tudo o que é medido está como deveria.", since: "desde {at}",
    more: "e mais {n}", first_check: "A primeira verificação ainda não foi feita.", now_healthy: "A saúde agora é: {status}.",
    day: "24 h", week: "7 d",
    strip_words: "{span}: {share} no ar, {many} interrupções", strip_none: "{span}: ainda sem medição",
    legend_h: "saudável", legend_d: "com problemas", legend_u: "fora do ar", legend_q: "desconhecido",
    in_flight: "Chamadas em andamento", memory: "Memória", cpu: "CPU", lag: "Atraso do event loop", server: "Servidor",
    instances: "Instâncias", filter: "Procurar uma instância", sort: "Ordem", sort_worst: "Piores primeiro", sort_name: "Por nome",
    shown: "{n} de {all}", none_found: "Nenhuma instância tem esse nome.", no_instances: "Nenhuma instância conhecida ainda.",
    name: "Nome", status: "Saúde", state: "Conexão", last_event: "Último evento",
    state_open: "aberta", state_close: "fechada", state_connecting: "conectando", state_none: "não informada", state_dead: "aberta, mas morta",
    changes: "O que mudou", no_changes: "Nada mudou desde que o painel começou a olhar.",
    to_status: "{from} → {to}", paused: "Outbox pausado: {reason}", refusals_lately: "{n} mensagens recusadas há pouco",
    scan: "Escaneie com o WhatsApp: Configurações → Dispositivos conectados", typed: "ou digite este código no telefone", qr_alt: "QR code que conecta um telefone a {name}",
    new_code: "Novo código", expired: "Este código venceu.", must_pair: "É preciso conectar um telefone a ela de novo.", may_not_pair: "Quem pode agir vê o código aqui.",
    speed: "Tempo de resposta", errors: "Erros", messages: "Mensagens", hour: "1 hora", plot_day: "24 horas", span: "Período",
    p50: "mediana (p50)", p95: "5 % mais lentas (p95)", error_rate: "chamadas com falha", per_second: "mensagens por segundo",
    limit: "limite: {status}", chart_none: "Nada foi medido neste período.",
    chart_words: "{label}: {last} agora, entre {low} e {high}", outlook: "Fora do comum e previsto", no_outlook: "Nada fora do comum, e nenhum limite à vista.",
    delivery: "Entrega", delivery_span: "mensagens aceitas nos últimos {m} min", accepted: "aceitas", at_server: "no WhatsApp", delivered: "entregues", read: "lidas", refused: "recusadas",
    unacked: "{share} dos envios ficaram sem confirmação a tempo", refused_why: "Recusadas nas últimas 24 h", no_sends: "Nada foi enviado neste período.", code: "Código",
    calls_title: "Novas tentativas e proteção", calls_total: "Chamadas", calls_failed: "Falharam", retries: "Novas tentativas", retry_rate: "Repetidas com sucesso", unknown_outcomes: "Resultados desconhecidos",
    breakers: "Disjuntores", breakers_closed: "Todos estão fechados.", closed: "fechado", open: "aberto", half_open: "testando", breaker_why: "{share} de {n} chamadas falharam",
    outbox: "Outbox", inbox: "Inbox dos webhooks", not_read: "Ainda não foi lida.",
    unreadable: "O banco não pode ser lido ({error}). O que aparece aqui é antigo.",
    waiting: "Aguardando", oldest: "Mais antiga", sent_rate: "Enviadas por segundo", wait_p95: "Espera (p95)", unknown_rows: "Desconhecidas", dead_letters: "Eventos mortos", accepted_events: "Aceitos", duplicates: "Cópias", rejected: "Rejeitados",
    rows_title: "Mensagens que precisam de alguém", letters_title: "Eventos cujo tratamento falhou", no_rows: "Nenhum.",
    key: "Chave", instance: "Instância", when: "Quando", reason: "Motivo", error: "Erro", attempts: "Tentativas", kind: "Evento", operation: "Operação", took: "Levou",
    queued: "na fila", sending: "enviando", failed: "falhou", expired_state: "vencida", refused_state: "recusada", unknown_state: "desconhecida", row_state: "Situação", cancelled: "cancelada",
    was_sent: "Foi enviada", was_not_sent: "Não foi enviada", cancel: "Cancelar", retry: "Enviar de novo", replay: "Tratar de novo", replay_all: "Tratar todos de novo", discard: "Descartar", pause: "Pausar o outbox", resume: "Retomar o outbox",
    ask_was_sent: "Anotar que esta mensagem foi enviada?", ask_was_not_sent: "Anotar que não foi enviada? Ela será enviada então.", ask_cancel: "Retirar esta mensagem? Ela não será enviada.", ask_retry: "Enviar esta mensagem de novo?",
    ask_replay: "Tratar este evento de novo?", ask_replay_all: "Tratar de novo todos os eventos mortos?", ask_discard: "Apagar este evento de vez?", ask_pause: "Pausar o outbox desta instância?", ask_resume: "Deixar o outbox desta instância seguir?",
    look_first: "Olhe antes no telefone: uma resposta errada envia a mensagem duas vezes, ou nunca.", done_n: "Feito: {n}.", act_failed: "Não foi possível: {why}",
    alerts: "Alertas", no_alerts: "Nenhum alerta ativo.", history: "Os que já passaram", no_history: "Nenhum até agora.", info: "informação", warning: "aviso", critical: "crítico", lasted: "durou {time}",
    recent_calls: "Chamadas recentes", by_kind: "Eventos por tipo", no_calls: "Nenhuma chamada vista ainda.", no_events: "Nenhum evento visto ainda.", per_minute: "por minuto", total: "total", answered: "Resposta",
    ago: "há {time}", just_now: "agora mesmo", never: "nunca", s: "s", min: "min", h: "h", d: "d",
  },
};

const PICK = { language: null, theme: "auto", span: "hour", sort: "worst", filter: "", open: new Set() };
let S = null; // the state, as the server tells it
let clock_off = 0; // the server's clock minus ours, in seconds
let heard_at = 0; // when anything came, by our clock

function t(key, values = {}) {
  const text = WORDS[PICK.language][key];
  return text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));
}
const told = (words) => (words ? words[PICK.language] ?? words.en ?? "" : "");

// ---- DOM. Text only ever becomes text nodes: nothing of the state is read as markup.
function h(tag, props = {}, ...children) {
  const svg = SVG.has(tag);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(9).filter((one) => one !== null && one !== undefined && one !== false));
  return made;
}
const SVG = new Set(["svg", "path", "rect", "line", "circle", "g", "title"]);
const $ = (id) => document.getElementById(id);

// Rebuilt parts give the focus back to what had it, found by data-focus.
function replace(place, ...children) {
  const had = place.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  place.replaceChildren(...children.flat(9).filter(Boolean));
  if (had) [...place.querySelectorAll("[data-focus]")].find((one) => one.dataset.focus === had)?.focus({ preventScroll: true });
}

// ---- Formats.
const number = (value, digits = 1) =>
  value === null || value === undefined ? "–" : value.toLocaleString(PICK.language === "pt" ? "pt-BR" : "en", { maximumFractionDigits: digits });
const share = (value) => {
  if (value === null || value === undefined) return "–";
  const digits = value > 0.999 && value < 1 ? 2 : value > 0.99 && value < 1 ? 1 : value < 0.01 && value > 0 ? 2 : 0;
  // Never rounded up to "all well".
  const shown = value > 0.99 ? Math.floor(value * 100 * 10 ** digits) / 10 ** digits : value * 100;
  return `${number(shown, digits)} %`;
};
const ms = (value) => (value === null || value === undefined ? "–" : value >= 10000 ? `${number(value / 1000, 0)} s` : value >= 1000 ? `${number(value / 1000, 1)} s` : `${number(value, value < 10 ? 1 : 0)} ms`);
const bytes = (value) => (value === null || value === undefined ? "–" : `${number(value / 2 ** 20, 0)} MiB`);
const now_s = () => Date.now() / 1000 + clock_off;
function length(seconds) {
  const s = Math.max(0, seconds);
  if (s < 60) return `${Math.floor(s)} ${t("s")}`;
  if (s < 3600) return `${Math.floor(s / 60)} ${t("min")}`;
  if (s < 86400) return `${Math.floor(s / 3600)} ${t("h")} ${Math.floor((s % 3600) / 60) ? `${Math.floor((s % 3600) / 60)} ${t("min")}` : ""}`.trim();
  return `${Math.floor(s / 86400)} ${t("d")}`;
}
const ago_words = (at) => (at === null || at === undefined ? t("never") : now_s() - at < 3 ? t("just_now") : t("ago", { time: length(now_s() - at) }));
const clock_words = (at) => {
  const date = new Date(at * 1000), lang = PICK.language === "pt" ? "pt-BR" : "en-GB";
  const far = Math.abs(now_s() - at) > 20 * 3600;
  return date.toLocaleString(lang, far ? { day: "2-digit", month: "2-digit", hour: "2-digit", minute: "2-digit" } : { hour: "2-digit", minute: "2-digit" });
};
const iso = (at) => new Date(at * 1000).toISOString();
// Kept up to date by the page's own clock, without news.
const ago = (at) => (at === null || at === undefined ? h("span", { class: "ago" }, t("never")) : h("time", { class: "ago nowrap", datetime: iso(at), title: clock_words(at), "data-at": at }, ago_words(at)));
const when = (at) => (at === null || at === undefined ? "–" : h("time", { class: "nowrap", datetime: iso(at) }, clock_words(at)));
function renew_ages() {
  for (const one of document.querySelectorAll("time[data-at]")) one.textContent = ago_words(Number(one.dataset.at));
}

// ---- Charts: a line of its own for each, made of SVG; each says in words what it shows.
const pill = (status, words = t(status)) => h("span", { class: `pill ${status}` }, words);

function strip(runs, span_s, span) {
  const end = now_s(), begin = end - span_s, known = (runs ?? []).map(([a, b, s]) => [Math.max(a, begin), b ?? end, s]).filter(([a, b]) => b > begin && b > a);
  let up = 0, all = 0, breaks = 0;
  for (const [a, b, s] of known) {
    if (s === "?") continue;
    all += b - a;
    if (s === "u") breaks += 1; else up += b - a;
  }
  const words = all ? t("strip_words", { span, share: share(up / all), many: breaks }) : t("strip_none", { span });
  const boxes = known.map(([a, b, s]) => {
    const x = ((a - begin) / span_s) * 1000;
    // A short outage must be seen: never narrower than two of a thousand.
    return h("rect", { x: x.toFixed(1), y: 0, height: 10, width: Math.max(s === "h" ? 0.1 : 4, ((b - a) / span_s) * 1000).toFixed(1), class: s === "?" ? "q" : s });
  });
  // What is worse lies on top.
  boxes.sort((one, two) => "hqdu".indexOf(one.getAttribute("class")) - "hqdu".indexOf(two.getAttribute("class")));
  return h("svg", { class: "strip", viewBox: "0 0 1000 10", preserveAspectRatio: "none", role: "img", "aria-label": words }, h("title", {}, words), boxes);
}

const legend = (...items) => h("p", { class: "legend" }, items.map(([kind, words]) => h("span", {}, h("i", { class: `k-${kind}`, "aria-hidden": "true" }), words)));
const strip_legend = () => legend(...["h", "d", "u", "q"].map((kind) => [kind, t(`legend_${kind}`)]));

function area(label, series, lines, { format, limits = [], marks = [], least = 0 }) {
  const W = 600, H = 140, count = series[lines[0].key]?.length ?? 0, step = series.step_s, begin = series.begin_at;
  const values = lines.flatMap((line) => series[line.key] ?? []).filter((value) => value !== null && value !== undefined);
  const head = h("h3", {}, label);
  if (!values.length) return h("div", { class: "chart" }, head, h("p", { class: "empty" }, t("chart_none")));
  const high = Math.max(...values), top = nice(Math.max(high * 1.1, least));
  const x = (index) => (count < 2 ? 0 : (index / (count - 1)) * W), y = (value) => H - (value / top) * H;
  const first = lines[lines.length - 1], last = last_of(series[first.key]);
  const words = t("chart_words", { label: `${label}, ${first.label}`, last: format(last), low: format(Math.min(...values)), high: format(high) });
  const svg = h("svg", { viewBox: `0 0 ${W} ${H}`, preserveAspectRatio: "none", role: "img", "aria-label": words });
  for (const part of [0, 0.5, 1]) svg.append(h("line", { class: "grid", x1: 0, x2: W, y1: H * part, y2: H * part }));
  for (const [value, status] of limits) if (value <= top) svg.append(h("line", { class: `limit ${status}`, x1: 0, x2: W, y1: y(value), y2: y(value) }, h("title", {}, t("limit", { status: WORDS[PICK.language][status] ?? status }))));
  lines.forEach((line, place) => {
    const pieces = runs_of(series[line.key]);
    for (const piece of pieces) {
      const points = piece.map(([index, value]) => `${x(index).toFixed(1)} ${y(value).toFixed(1)}`);
      if (line.fill) svg.append(h("path", { class: "area", d: `M${x(piece[0][0]).toFixed(1)} ${H} L${points.join(" L")} L${x(piece[piece.length - 1][0]).toFixed(1)} ${H}Z` }));
      svg.append(h("path", { class: `line l${line.colour ?? place + 1}`, d: points.length > 1 ? `M${points.join(" L")}` : `M${points[0]} h1.5` }));
    }
  });
  for (const mark of marks) {
    const at = ((mark.at - begin) / (step * Math.max(1, count - 1))) * W;
    if (at < 0 || at > W) continue;
    svg.append(h("path", { class: "mark", d: `M${at.toFixed(1)} ${Math.max(4, y(Math.min(mark.value, top))).toFixed(1)} m-5 -4 h10 l-5 8z` }, h("title", {}, told(mark.words))));
  }
  const cursor = h("line", { class: "cursor", y1: 0, y2: H, x1: 0, x2: 0, visibility: "hidden" });
  svg.append(cursor);
  const readout = h("p", { class: "readout", "aria-hidden": "true" });
  const show = (index) => {
    readout.textContent = lines.map((line) => `${line.label}: ${format(series[line.key]?.[index])}`).join("   ") + (index === count - 1 ? "" : `   ${clock_words(begin + index * step)}`);
    cursor.setAttribute("visibility", index === count - 1 ? "hidden" : "visible");
    for (const end of ["x1", "x2"]) cursor.setAttribute(end, x(index));
  };
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    show(Math.max(0, Math.min(count - 1, Math.round(((event.clientX - box.left) / box.width) * (count - 1)))));
  });
  svg.addEventListener("pointerleave", () => show(count - 1));
  show(count - 1);
  const times = h("p", { class: "times", "aria-hidden": "true" }, [0, 0.5, 1].map((part) => h("span", {}, clock_words(begin + part * step * Math.max(0, count - 1)))));
  return h("div", { class: "chart" }, h("p", { class: "top" }, head, h("span", { "aria-hidden": "true" }, format(top))), svg, times, readout);
}
function runs_of(values) {
  const found = [];
  let piece = [];
  (values ?? []).forEach((value, index) => {
    if (value === null || value === undefined) { if (piece.length) found.push(piece); piece = []; } else piece.push([index, value]);
  });
  if (piece.length) found.push(piece);
  return found;
}
const last_of = (values) => [...(values ?? [])].reverse().find((value) => value !== null && value !== undefined) ?? null;
function nice(value) {
  if (!(value > 0)) return 1;
  const size = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 7.5, 10].map((one) => one * size).find((one) => one >= value) ?? 10 * size;
}

function funnel(delivery) {
  const steps = [["accepted", "accepted"], ["server", "at_server"], ["delivered", "delivered"], ["read", "read"], ["refused", "refused"]];
  const all = delivery.accepted;
  if (!all && !delivery.refused) return h("p", { class: "empty" }, t("no_sends"));
  return h("dl", { class: "funnel" }, steps.map(([key, word]) => {
    const part = all ? delivery[key] / all : 0;
    return h("div", { class: key === "refused" ? "step bad" : "step" }, h("dt", {}, t(word)),
      h("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" }, h("rect", { x: 0, y: 0, height: 10, width: Math.min(100, part * 100).toFixed(2) })),
      h("dd", { class: "num" }, `${number(delivery[key], 0)}`, key === "accepted" || !all ? "" : ` · ${share(part)}`));
  }));
}

// ---- Sections. Each is rebuilt when its part of the state changes.
const tile = (label, value, alarm = false) => h("div", { class: alarm ? "tile alarm" : "tile" }, h("dt", {}, label), h("dd", {}, value));
const tiles = (...items) => h("dl", { class: "tiles" }, items);
const card = (id, title, size) => {
  const body = h("div", { class: "stack", id: `${id}-body` });
  const end = h("div", { class: "end" });
  const made = h("section", { class: `card ${size}`, id, "aria-labelledby": `${id}-title` }, h("header", {}, h("h2", { id: `${id}-title` }, t(title)), end), body);
  return { made, body, end };
};
const PARTS = {}; // id → {made, body, end}

function table(heads, rows, empty) {
  if (!rows.length) return h("p", { class: "empty" }, empty);
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": heads.filter(Boolean).join(", ") },
    h("table", {}, h("thead", {}, h("tr", {}, heads.map((head) => h(head ? "th" : "td", head ? { scope: "col" } : {}, head)))), h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((cell, place) => h("td", { "data-label": heads[place] || null }, cell)))))));
}

function draw_health() {
  const health = S.health, server = S.server, whole = S.strips?.[""] ?? {};
  const reasons = health.reasons.length ? h("ul", { class: "reasons" }, health.reasons.map((words) => h("li", {}, told(words))), health.more_reasons ? h("li", { class: "soft" }, t("more", { n: number(health.more_reasons, 0) })) : "") : h("p", { class: "soft" }, health.checked_at === null ? t("first_check") : t("all_well"));
  const line = (key, span_s, share_up) => h("div", { class: "strip-line" }, h("span", { class: "small soft" }, t(key)), strip(whole[key], span_s, t(key)), h("span", { class: "num small" }, share(share_up)));
  replace(PARTS.health.body, h("div", { class: "hero" },
    h("div", {}, h("p", { class: "head" }, pill(health.status), health.since_at === null ? "" : h("span", { class: "soft small" }, t("since", { at: clock_words(health.since_at) }), " · "), health.checked_at === null ? "" : ago(health.checked_at)),
      server.running ? "" : h("p", { class: "error" }, t("not_running")), reasons,
      health.notes.length ? h("ul", { class: "reasons soft small" }, health.notes.map((words) => h("li", {}, told(words)))) : ""),
    h("div", {}, line("day", 86400, health.uptime_24h), line("week", 604800, health.uptime_7d), h("div", { class: "small" }, strip_legend()))),
  tiles(...["healthy", "degraded", "unhealthy", "unknown"].filter((key) => health.counts[key] || key === "healthy").map((key) => tile(`${t("instances")}: ${t(key)}`, number(health.counts[key], 0), key === "unhealthy")),
    tile(t("in_flight"), number(health.in_flight, 0)), tile(t("memory"), bytes(health.memory_bytes)), tile(t("cpu"), health.cpu_percent === null ? "–" : `${number(health.cpu_percent, 0)} %`),
    tile(t("lag"), ms(health.loop_lag_ms)), tile(t("server"), server.version ?? "–")));
}

const ROWS = new Map(); // name → {item, stamp}
const WORST = { unhealthy: 0, degraded: 1, unknown: 2, healthy: 3 };

function state_words(one) {
  if (one.socket_dead) return t("state_dead");
  if (one.state === null) return t("state_none");
  return WORDS[PICK.language][`state_${one.state}`] ?? one.state;
}

function draw_instance(name) {
  const one = S.instances[name], stripes = S.strips?.[name] ?? {}, code = S.pairing?.[name] ?? null, open = PICK.open.has(name);
  const stamp = JSON.stringify([one, stripes, code, open, PICK.language, S.can.act]);
  const known = ROWS.get(name);
  if (known?.stamp === stamp) return known.item;
  const id = `inside-${encodeURIComponent(name)}`;
  const head = h("button", { type: "button", class: "row", "aria-expanded": String(open), "aria-controls": open ? id : null, "data-focus": `row ${name}`, onclick: () => { open ? PICK.open.delete(name) : PICK.open.add(name); draw_instances(); } },
    h("span", { class: "name" }, name), h("span", { class: "state" }, pill(one.status)), h("span", { class: "small" }, state_words(one)),
    h("span", { class: "cell-strip" }, strip(stripes.day, 86400, t("day"))),
    h("span", { class: "num", "data-label": t("day") }, share(one.uptime_24h)), h("span", { class: "num", "data-label": t("week") }, share(one.uptime_7d)), h("span", { class: "small" }, ago(one.last_event_at)));
  const item = known?.item ?? h("li", {});
  replace(item, head, open ? draw_inside(name, id, one, stripes, code) : null);
  ROWS.set(name, { item, stamp });
  return item;
}

function draw_inside(name, id, one, stripes, code) {
  const facts = [
    ...one.reasons.map((words) => h("li", {}, told(words))),
    one.refusals ? h("li", {}, t("refusals_lately", { n: number(one.refusals, 0) })) : null,
    one.paused ? h("li", {}, t("paused", { reason: told(one.paused.reason) })) : null,
  ].filter(Boolean);
  const changes = stripes.changes ?? [];
  const buttons = S.can.act && S.features.outbox ? h("p", { class: "buttons" }, one.paused
    ? act("resume", { action: "resume", instance: name }, { what: name }) : act("pause", { action: "pause", instance: name }, { what: name })) : null;
  return h("div", { class: "inside", id },
    h("div", { class: "stack" }, facts.length ? h("ul", { class: "reasons" }, facts) : h("p", { class: "soft" }, t("all_well")),
      h("div", { class: "strip-line" }, h("span", { class: "small soft" }, t("week")), strip(stripes.week, 604800, t("week")), h("span", { class: "num small" }, share(one.uptime_7d))),
      h("div", {}, h("h3", {}, t("changes")), changes.length
        ? h("ol", { class: "changes" }, changes.map((change) => h("li", {}, when(change.at), h("span", {}, t("to_status", { from: change.from ? t(change.from) : "–", to: t(change.to) }), change.reasons.length ? h("span", { class: "soft" }, ` · ${change.reasons.map(told).join("; ")}`) : ""))))
        : h("p", { class: "empty small" }, t("no_changes"))), buttons),
    one.needs_pairing ? draw_pairing(name, code) : null);
}

function draw_pairing(name, code) {
  const fresh = code && (code.expires_at === null || code.expires_at > now_s());
  const again = S.can.act ? act("new_code", { action: "connect", instance: name }, { ask: false }) : null;
  if (!fresh) return h("div", { class: "pairing" }, h("p", {}, t("must_pair")), code ? h("p", { class: "soft small" }, t("expired")) : "", S.can.act ? again : h("p", { class: "soft small" }, t("may_not_pair")));
  return h("div", { class: "pairing" }, h("div", { class: "qr" },
    code.image ? h("img", { src: code.image, alt: t("qr_alt", { name }), width: 190, height: 190 }) : "",
    code.image && code.code ? h("p", { class: "small" }, t("typed")) : "", code.code ? h("p", { class: "typed" }, code.code) : ""),
  h("p", { class: "small soft" }, t("scan")), again);
}

function draw_instances() {
  const part = PARTS.instances, names = Object.keys(S.instances);
  for (const name of ROWS.keys()) if (!(name in S.instances)) { ROWS.get(name).item.remove(); ROWS.delete(name); }
  const wanted = PICK.filter.trim().toLowerCase(), order = (one, two) => one.localeCompare(two, PICK.language, { numeric: true });
  const shown = names.filter((name) => name.toLowerCase().includes(wanted));
  shown.sort(PICK.sort === "name" ? order : (one, two) => WORST[S.instances[one].status] - WORST[S.instances[two].status] || order(one, two));
  if (!part.list) {
    const box = h("input", { type: "search", id: "filter", placeholder: t("filter"), "aria-label": t("filter"), autocomplete: "off", oninput: (event) => { PICK.filter = event.target.value; draw_instances(); } });
    const sort = h("select", { "aria-label": t("sort"), onchange: (event) => { PICK.sort = event.target.value; draw_instances(); } }, ["worst", "name"].map((key) => h("option", { value: key, selected: PICK.sort === key }, t(`sort_${key}`))));
    box.value = PICK.filter;
    part.count = h("span", { class: "soft small" });
    part.end.replaceChildren(part.count, sort, box);
    part.list = h("ul", { class: "rows" });
    part.none = h("p", { class: "empty" });
    replace(part.body, h("div", { class: "columns", "aria-hidden": "true" }, ["name", "status", "state", "day"].map((key) => h("span", {}, t(key))), h("span", { class: "num" }, t("day")), h("span", { class: "num" }, t("week")), h("span", {}, t("last_event"))), part.list, part.none);
  }
  part.count.textContent = t("shown", { n: number(shown.length, 0), all: number(names.length, 0) });
  part.list.classList.toggle("many", names.length > 12);
  part.none.textContent = names.length ? t("none_found") : t("no_instances");
  part.none.hidden = shown.length > 0;
  // In place: a row that does not move keeps its focus and its scroll.
  const items = shown.map(draw_instance), stay = new Set(items);
  for (const child of [...part.list.children]) if (!stay.has(child)) child.remove();
  items.forEach((item, place) => { if (part.list.children[place] !== item) part.list.insertBefore(item, part.list.children[place] ?? null); });
}

function draw_series() {
  const part = PARTS.series, series = S.series[PICK.span], outlook = S.outlook, limits = outlook.limits ?? {};
  const marks = (metrics) => outlook.anomalies.filter((one) => metrics.includes(one.metric));
  replace(part.end, h("div", { class: "group", role: "group", "aria-label": t("span") }, [["hour", "hour"], ["day", "plot_day"]].map(([key, word]) =>
    h("button", { type: "button", class: "plain small", "aria-pressed": String(PICK.span === key), "data-focus": `span ${key}`, onclick: () => { PICK.span = key; draw_series(); } }, t(word)))));
  replace(part.body,
    area(t("speed"), series, [{ key: "p50_ms", label: t("p50"), fill: true, colour: 1 }, { key: "p95_ms", label: t("p95"), colour: 2 }], { format: ms, limits: limits.p95_response_time_ms ?? [], marks: marks(["p95_response_time_ms", "response_time_ms", "p50_response_time_ms"]), least: 50 }),
    legend([1, t("p50")], [2, t("p95")]),
    h("div", { class: "hero" }, area(t("errors"), series, [{ key: "error_rate", label: t("error_rate"), fill: true, colour: 2 }], { format: share, limits: limits.error_rate ?? [], marks: marks(["error_rate"]), least: 0.02 }),
      area(t("messages"), series, [{ key: "messages_per_second", label: t("per_second"), fill: true, colour: 3 }], { format: (value) => number(value, 2), marks: marks(["messages_per_second"]), least: 0.5 })),
    h("div", {}, h("h3", {}, t("outlook")), outlook.forecasts.length || outlook.anomalies.length
      ? h("ul", { class: "reasons" }, outlook.forecasts.map((one) => h("li", {}, told(one.words))), outlook.anomalies.slice(0, 5).map((one) => h("li", {}, ago(one.at), ` · ${told(one.words)}`)))
      : h("p", { class: "empty small" }, t("no_outlook"))));
}

function draw_delivery() {
  const delivery = S.delivery;
  replace(PARTS.delivery.body, h("p", { class: "soft small" }, t("delivery_span", { m: number(delivery.minutes, 0) })), funnel(delivery),
    delivery.unacked_share ? h("p", { class: "small" }, t("unacked", { share: share(delivery.unacked_share) })) : "",
    delivery.refusals.length ? h("div", {}, h("h3", {}, t("refused_why")), table([t("code"), "", t("reason")], delivery.refusals.map((one) => [one.code ?? "–", h("span", { class: "num" }, `${number(one.count, 0)} ×`), [told(one.meaning), told(one.advice) ? h("p", { class: "soft small" }, told(one.advice)) : ""]]), "")) : "");
}

function draw_resilience() {
  const { retry, breakers } = S.resilience, shown = breakers.filter((one) => one.state !== "closed");
  replace(PARTS.resilience.body, retry ? tiles(tile(t("calls_total"), number(retry.total, 0)), tile(t("calls_failed"), number(retry.failed, 0)), tile(t("retries"), number(retry.retries, 0)), tile(t("retry_rate"), share(retry.retries ? retry.retry_success_rate : null)),
    tile(t("unknown_outcomes"), number(retry.unknown_outcomes, 0))) : "",
  h("div", {}, h("h3", {}, t("breakers")), shown.length ? h("ul", { class: "alerts" }, shown.map((one) => h("li", {}, h("span", { class: `pill ${one.state === "open" ? "open-breaker" : one.state}` }, t(one.state)),
    h("span", {}, one.scope, h("span", { class: "soft" }, ` · ${told(one.reason) || t("breaker_why", { share: share(one.failure_rate), n: number(one.calls, 0) })}`)), one.opened_at === null ? "" : ago(one.opened_at)))) : h("p", { class: "empty small" }, t("breakers_closed"))));
}

const row_state = (state) => t(["expired", "refused", "unknown"].includes(state) ? `${state}_state` : state);
const ROW_ACTIONS = { unknown: ["was_sent", "was_not_sent"], queued: ["cancel"], failed: ["retry"], refused: ["retry"], expired: ["retry"], cancelled: ["retry"] };
const BODIES = { was_sent: (id) => ({ action: "resolve", id, sent: true }), was_not_sent: (id) => ({ action: "resolve", id, sent: false }), cancel: (id) => ({ action: "cancel", id }), retry: (id) => ({ action: "retry", id }) };

function draw_outbox() {
  const outbox = S.outbox, part = PARTS.outbox;
  if (!outbox) return replace(part.body, h("p", { class: "empty" }, t("not_read")));
  const counts = outbox.counts ?? {}, rows = outbox.rows ?? [];
  replace(part.body, outbox.readable ? "" : h("p", { class: "error" }, t("unreadable", { error: outbox.error ?? "?" })),
    tiles(tile(t("waiting"), number(outbox.depth, 0)), tile(t("oldest"), outbox.oldest_s === null ? "–" : length(outbox.oldest_s)), tile(t("sent_rate"), number(outbox.sent_per_second, 1)), tile(t("wait_p95"), ms(outbox.p95_wait_ms)), tile(t("unknown_rows"), number(counts.unknown ?? 0, 0), Boolean(counts.unknown)), tile(t("calls_failed"), number((counts.failed ?? 0) + (counts.refused ?? 0), 0))),
    outbox.pauses.length ? h("ul", { class: "reasons" }, outbox.pauses.map((one) => h("li", {}, `${one.instance ?? t("server")}: ${t("paused", { reason: told(one.reason) })}`))) : "",
    h("div", {}, h("h3", {}, t("rows_title")), table([t("key"), t("row_state"), t("when"), t("reason"), ...(S.can.act ? [""] : [])], rows.map((row) => [
      [h("span", { class: "mono" }, row.key), h("p", { class: "soft small" }, row.instance)], h("span", { class: `pill ${row.state === "unknown" ? "warning" : "neutral"}` }, row_state(row.state)), ago(row.created_at),
      [told(row.reason), row.error ? h("p", { class: "soft small" }, [row.error, row.code].filter(Boolean).join(" ")) : ""],
      ...(S.can.act ? [h("div", { class: "buttons" }, (ROW_ACTIONS[row.state] ?? []).map((key) => act(key, BODIES[key](row.id), { what: row.key, warn: row.state === "unknown" ? t("look_first") : "" })))] : []),
    ]), t("no_rows"))));
}

function draw_receiver() {
  const receiver = S.receiver, part = PARTS.receiver;
  if (!receiver) { part.end.replaceChildren(); return replace(part.body, h("p", { class: "empty" }, t("not_read"))); }
  const may_replay = S.can.act && S.features.replay !== false;
  const rejected = Object.values(receiver.rejected ?? {}).reduce((sum, many) => sum + many, 0), letters = receiver.dead_letters ?? [];
  replace(part.end, may_replay && letters.length > 1 ? act("replay_all", { action: "replay", ids: null }, {}) : null);
  replace(part.body, receiver.readable === false ? h("p", { class: "error" }, t("unreadable", { error: receiver.error ?? "?" })) : "", tiles(tile(t("waiting"), number(receiver.queue_depth + receiver.in_flight, 0)), tile(t("oldest"), length(receiver.oldest_age_ms / 1000)), tile(t("accepted_events"), number(receiver.accepted, 0)), tile(t("duplicates"), number(receiver.duplicates, 0)), tile(t("rejected"), number(rejected, 0)), tile(t("dead_letters"), number(receiver.dead, 0), receiver.dead > 0)),
    h("div", {}, h("h3", {}, t("letters_title")), table([t("kind"), t("error"), t("when"), ...(may_replay ? [""] : [])], letters.map((letter) => [
      [h("span", { class: "mono" }, letter.kind), h("p", { class: "soft small" }, letter.instance ?? "")], [letter.error, h("p", { class: "soft small" }, `${t("attempts")}: ${letter.attempts}`)], ago(letter.failed_at),
      ...(may_replay ? [h("div", { class: "buttons" }, act("replay", { action: "replay", ids: [letter.id] }, { what: `${letter.kind} #${letter.id}` }), act("discard", { action: "discard", ids: [letter.id] }, { what: `${letter.kind} #${letter.id}`, danger: true }))] : []),
    ]), t("no_rows"))));
}

function draw_alerts() {
  const line = (one) => h("li", {}, pill(one.severity), h("span", { class: "words" }, told(one.words)), h("span", { class: "soft small nowrap" }, one.resolved_at === null ? ago(one.raised_at) : [when(one.raised_at), ` · ${t("lasted", { time: length(one.resolved_at - one.raised_at) })}`]));
  const { active, history } = S.alerts;
  replace(PARTS.alerts.body, active.length ? h("ul", { class: "alerts" }, active.map(line)) : h("p", { class: "empty" }, t("no_alerts")),
    h("details", { open: PICK.history || null, ontoggle: (event) => { PICK.history = event.target.open; } }, h("summary", { "data-focus": "history" }, `${t("history")} (${history.length})`), history.length ? h("ul", { class: "alerts" }, history.map(line)) : h("p", { class: "empty" }, t("no_history"))));
}

function draw_calls() {
  replace(PARTS.calls.body, table([t("operation"), t("instance"), t("answered"), t("took"), t("when")], S.calls.recent.slice(0, 12).map((one) => [
    [h("span", { class: "mono" }, one.operation), one.route ? h("p", { class: "soft small" }, `${one.method} ${one.route}`) : ""], one.instance ?? "–",
    one.error ? [h("span", { class: "pill unhealthy" }, one.status ?? "✕"), h("p", { class: "soft small" }, one.error)] : h("span", { class: "pill healthy" }, one.status ?? "✓"),
    h("span", { class: "nowrap" }, ms(one.elapsed_ms), one.attempts > 1 ? ` · ${one.attempts} ×` : ""), ago(one.at)]), t("no_calls")));
}
function draw_events() {
  replace(PARTS.events.body, table([t("kind"), t("per_minute"), t("total")], S.events.by_kind.slice(0, 12).map((one) => [h("span", { class: "mono" }, one.kind), h("span", { class: "num" }, number(one.per_minute, 1)), h("span", { class: "num" }, number(one.count, 0))]), t("no_events")));
}

const DRAW = {
  health: [["health", "server", "strips"], draw_health], instances: [["instances", "strips", "pairing", "can", "features"], draw_instances], series: [["series", "outlook"], draw_series],
  delivery: [["delivery"], draw_delivery], resilience: [["resilience"], draw_resilience], outbox: [["outbox", "can"], draw_outbox], receiver: [["receiver", "can", "features"], draw_receiver],
  alerts: [["alerts"], draw_alerts], calls: [["calls"], draw_calls], events: [["events"], draw_events],
};
const LAYOUT = [["health", "health", "wide"], ["alerts", "alerts", "half"], ["delivery", "delivery", "half"], ["instances", "instances", "wide"], ["series", "speed", "wide"], ["outbox", "outbox", "half"], ["receiver", "inbox", "half"], ["resilience", "calls_title", "half"], ["events", "by_kind", "half"], ["calls", "recent_calls", "wide"]];

function build() {
  ROWS.clear();
  const board = $("board");
  board.replaceChildren(...LAYOUT.filter(([id]) => (id !== "outbox" || S.features.outbox) && (id !== "receiver" || S.features.receiver)).map(([id, title, size]) => (PARTS[id] = card(id, title, size)).made));
  document.title = S.title;
  $("title").textContent = S.title;
  for (const [id, [, draw]] of Object.entries(DRAW)) if (board.querySelector(`#${id}`)) draw();
  board.hidden = false;
}
function redraw(changed) {
  for (const [id, [needs, draw]] of Object.entries(DRAW)) if (document.getElementById(id) && needs.some((name) => changed.has(name))) draw();
}

// ---- Actions: asked about first, told of afterwards.
function act(word, body, { what = "", warn = "", ask = true, danger = false } = {}) {
  const button = h("button", { type: "button", class: danger ? "small plain" : word === "new_code" ? "small" : "small plain", "data-focus": `${word} ${JSON.stringify(body)}` }, t(word));
  if (what) button.append(h("span", { class: "hidden" }, ` ${what}`));
  button.addEventListener("click", async () => {
    if (ask && !(await sure(word, what, warn, danger))) return;
    button.disabled = true;
    try {
      const answer = await post("api/actions", body);
      say(answer.ok ? told(answer.words) || t("done_n", { n: number(answer.done ?? 0, 0) }) : t("act_failed", { why: told(answer.words) }), !answer.ok);
      if (answer.pairing && S) { S.pairing = { ...S.pairing, [body.instance]: answer.pairing }; redraw(new Set(["pairing"])); }
    } catch { say(t("act_failed", { why: t("link_lost") }), true); }
    button.disabled = false;
  });
  return button;
}
function sure(word, what, warn, danger) {
  const dialog = $("ask");
  $("ask-title").textContent = t(`ask_${word}`);
  $("ask-words").textContent = [what, warn].filter(Boolean).join(" — ");
  $("ask-yes").textContent = t(word);
  $("ask-yes").className = danger ? "danger" : "";
  dialog.returnValue = "no";
  return new Promise((done) => { dialog.addEventListener("close", () => done(dialog.returnValue === "yes"), { once: true }); dialog.showModal(); });
}
let said = 0;
function say(words, bad) {
  let toast = $("toast");
  if (!toast) { toast = h("p", { id: "toast", class: "banner", role: "status" }); document.querySelector(".bar").after(toast); }
  toast.textContent = words;
  toast.className = bad ? "banner error" : "banner done";
  clearTimeout(said);
  said = setTimeout(() => toast.remove(), 8000);
}
async function post(url, body, form = false) {
  const headers = { "X-Evolution-Console": "1", "Content-Type": form ? "application/x-www-form-urlencoded" : "application/json" };
  const answer = await fetch(url, { method: "POST", headers, credentials: "same-origin", body: form ? new URLSearchParams(body) : JSON.stringify(body) });
  const found = await answer.json().catch(() => ({ ok: false, words: null }));
  return { ...found, http: answer.status };
}

// ---- The stream.
let source = null, tries = 0, again = 0;
function link(state) { $("link").dataset.link = state; $("link-words").textContent = t(`link_${state}`); }
function merge(news) {
  const changed = new Set(Object.keys(news));
  const before = S.health.status;
  for (const [key, value] of Object.entries(news)) {
    if (["instances", "strips", "pairing"].includes(key)) {
      const merged = { ...S[key] };
      for (const [name, one] of Object.entries(value)) if (one === null) delete merged[name]; else merged[name] = one;
      S[key] = merged;
    } else S[key] = value;
  }
  if (S.health.status !== before) $("live").textContent = t("now_healthy", { status: t(S.health.status) });
  return changed;
}
function alive(at) { heard_at = Date.now(); if (at) clock_off = at - Date.now() / 1000; $("stale").hidden = true; }
function listen() {
  source?.close();
  clearTimeout(again);
  link(S ? "lost" : "waiting");
  source = new EventSource("api/stream");
  source.addEventListener("open", () => { alive(); });
  source.addEventListener("state", (event) => {
    const known = S && JSON.stringify(S.features);
    const first = !S;
    S = JSON.parse(event.data);
    alive(S.at); link("live"); tries = 0;
    if (first && !PICK.chosen && S.language) choose_language(S.language, false);
    $("login").hidden = $("refused").hidden = true;
    $("logout").hidden = S.features.login === false;
    if (known === JSON.stringify(S.features) && !$("board").hidden) redraw(new Set(Object.keys(S))); else build();
  });
  source.addEventListener("alive", () => alive());
  source.addEventListener("changes", (event) => {
    if (!S) return;
    const news = JSON.parse(event.data);
    alive(news.at);
    redraw(merge(news));
  });
  source.onerror = () => {
    link("lost");
    if (source.readyState === EventSource.CLOSED) look_why();
  };
}
async function look_why() {
  source?.close();
  try {
    const answer = await fetch("api/state", { credentials: "same-origin" });
    if (answer.status === 401) return ask_token();
    if (answer.status === 403) return refuse(t("forbidden"));
    if (answer.ok && tries === 0) { tries += 1; return listen(); }
  } catch { /* not reachable: tried again below */ }
  tries += 1;
  again = setTimeout(listen, Math.min(30000, 1000 * 2 ** Math.min(tries, 5)) * (0.75 + Math.random() / 2));
}
function ask_token() {
  S = null;
  $("board").hidden = true; $("logout").hidden = true;
  $("login").hidden = false;
  link("waiting");
  $("token").focus();
}
function refuse(words) { $("board").hidden = $("login").hidden = true; $("refused").hidden = false; $("refused").textContent = words; }
async function log_in(token) {
  $("login-error").textContent = "";
  const answer = await post("login", { token }, true).catch(() => ({ ok: false, words: null }));
  if (answer.ok) { $("token").value = ""; return listen(); }
  ask_token();
  $("login-error").textContent = answer.error === "throttled" ? t("throttled", { s: Math.ceil(answer.retry_after_s) }) : told(answer.words) || t("link_lost");
}

// ---- Choices, and the start.
function keep(name, value) { try { localStorage.setItem(`evolution.console.${name}`, value); } catch { /* private mode */ } }
function kept(name) { try { return localStorage.getItem(`evolution.console.${name}`); } catch { return null; } }
function choose_language(language, by_person) {
  PICK.language = language;
  if (by_person) { PICK.chosen = true; keep("language", language); }
  document.documentElement.lang = language === "pt" ? "pt-BR" : "en";
  $("language").value = language;
  for (const one of document.querySelectorAll("[data-t]")) one.textContent = t(one.dataset.t);
  link($("link").dataset.link);
  if (S) build();
}
const dark = matchMedia("(prefers-color-scheme: dark)");
function choose_theme(theme) {
  PICK.theme = theme;
  document.documentElement.dataset.theme = theme === "auto" ? (dark.matches ? "dark" : "light") : theme;
  $("theme").value = theme;
}
function start() {
  const language = kept("language");
  PICK.chosen = language === "en" || language === "pt";
  choose_theme(["light", "dark"].includes(kept("theme")) ? kept("theme") : "auto");
  choose_language(PICK.chosen ? language : navigator.language.toLowerCase().startsWith("pt") ? "pt" : "en", false);
  dark.addEventListener("change", () => choose_theme(PICK.theme));
  $("theme").addEventListener("change", (event) => { keep("theme", event.target.value); choose_theme(event.target.value); });
  $("language").addEventListener("change", (event) => choose_language(event.target.value, true));
  $("login").addEventListener("submit", (event) => { event.preventDefault(); log_in($("token").value); });
  $("logout").addEventListener("click", async () => { source?.close(); await post("logout", {}).catch(() => null); ask_token(); });
  setInterval(() => {
    renew_ages();
    // The server speaks at least every 15 s; a connection that is silent for longer is dead.
    const silent = (Date.now() - heard_at) / 1000;
    if (S && silent > 45) {
      $("stale").textContent = t("stale", { age: length(silent) });
      $("stale").hidden = false;
      if (silent % 30 < 5) listen();
    }
  }, 5000);
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token) {
    history.replaceState(null, "", location.pathname + location.search);
    log_in(token);
  } else listen();
}
start();
