'use strict';

/** The page to try models. Everything that models or people wrote enters the page as text, never as markup. */

const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const one = (selector, within = document) => within.querySelector(selector);
const element = (name, text, className) => {
  const made = document.createElement(name);
  made.textContent = text ?? '';
  if (className) made.className = className;
  return made;
};

// ---- asking the server ----------------------------------------------------------------------------------------------

let key = '';

/** Asks for a path; a wrong answer becomes an error in the server's words, and null if a key is needed that is not there. */
async function ask(path, body, signal) {
  const headers = body ? {'Content-Type': 'application/json'} : {};
  if (key) headers.Authorization = `Bearer ${key}`;
  const response = await fetch(path, {method: body ? 'POST' : 'GET', headers, body: body && JSON.stringify(body), signal});
  if (response.ok) return response;
  one('#key').hidden = response.status !== 401 && one('#key').hidden;
  if (response.status === 401 && !key) return null; // the field asks for it
  const answer = await response.json().catch(() => ({}));
  throw new Error(answer.error?.message ?? answer.error ?? `The server answered with status ${response.status}.`);
}

function complain(error) {
  one('#error').textContent = error?.message ?? '';
  one('#error').hidden = !error;
}

/** Runs what a form is for, once at a time. */
function onSubmit(section, work) {
  const form = one(`#${section} form`);
  form.addEventListener('submit', async event => {
    event.preventDefault();
    const button = one('button.main', form);
    button.disabled = true;
    complain(null);
    try {
      await work(form);
    } catch (error) {
      complain(error);
    } finally {
      button.disabled = false;
    }
  });
  // In a text of several lines, Enter begins another one.
  form.addEventListener('keydown', event => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    if (!one('button.main', form).disabled) form.requestSubmit();
  });
}

const model = section => one(`#${section} [data-models]`).value;
const lines = selector => one(selector).value.split('\n').map(line => line.trim()).filter(line => line);

// ---- tabs -----------------------------------------------------------------------------------------------------------

const tabs = all('[role=tab]');

function choose(tab, focus) {
  for (const other of tabs) {
    const chosen = other === tab;
    other.setAttribute('aria-selected', chosen);
    other.tabIndex = chosen ? 0 : -1;
    one(`#${other.getAttribute('aria-controls')}`).hidden = !chosen;
  }
  complain(null);
  if (focus) tab.focus();
}

for (const tab of tabs) {
  tab.addEventListener('click', () => choose(tab));
  tab.addEventListener('keydown', event => {
    const shown = tabs.filter(other => !other.hidden);
    const here = shown.indexOf(tab);
    const there = {ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: -1}[event.key];
    if (there === undefined) return;
    event.preventDefault();
    choose(shown.at(there % shown.length), true);
  });
}

async function start() {
  const answer = await ask('v1/models');
  if (!answer) return;
  const {data} = await answer.json();
  one('#key').hidden = true;
  for (const select of all('[data-models]')) {
    select.replaceChildren(...data.filter(served => select.dataset.models.split(' ').includes(served.task))
      .map(served => new Option(served.id, served.id)));
  }
  for (const tab of tabs) tab.hidden = !data.some(served => tab.dataset.task.split(' ').includes(served.task));
  const first = tabs.find(tab => !tab.hidden);
  one('#served').textContent = data.map(served => `${served.id} (${served.task})`).join(', ')
    + (first ? '' : '. This page tries encoders, rerankers and language models alone.');
  if (first) choose(first);
}

one('#key').addEventListener('submit', event => {
  event.preventDefault();
  key = one('#key-value').value;
  complain(null);
  start().catch(complain);
});

// ---- compare and rerank ---------------------------------------------------------------------------------------------

const SVG = 'http://www.w3.org/2000/svg';

/** A row with a bar as long as its share. The security policy allows no style in elements, so the bar is a picture. */
function bar(text, figure, share) {
  const row = element('li');
  const picture = document.createElementNS(SVG, 'svg');
  picture.setAttribute('class', 'fill');
  picture.setAttribute('aria-hidden', 'true');
  const fill = document.createElementNS(SVG, 'rect');
  fill.setAttribute('width', `${Math.max(0, Math.min(1, share)) * 100}%`);
  fill.setAttribute('height', '100%');
  picture.append(fill);
  row.append(picture, element('span', text, 'text'), element('span', figure, 'figure'));
  return row;
}

function showBars(section, rows) {
  rows.sort((a, b) => b.score - a.score);
  one(`#${section} .bars`).replaceChildren(...rows.map(row => bar(row.text, row.score.toFixed(4), row.score)));
}

function timed(section, start, what) {
  one(`#${section} .figures`).textContent = `${what} ${(performance.now() - start).toFixed(0)} ms, network included.`;
}

function cosine(a, b) {
  let dot = 0, aa = 0, bb = 0;
  a.forEach((value, i) => { dot += value * b[i]; aa += value * value; bb += b[i] * b[i]; });
  return dot / Math.sqrt(aa * bb || 1);
}

onSubmit('compare', async () => {
  const texts = lines('#compare-texts');
  const start = performance.now();
  const response = await ask('embed', {model: model('compare'), inputs: [one('#compare-query').value, ...texts], truncate: true});
  const [query, ...vectors] = await response.json();
  showBars('compare', vectors.map((vector, i) => ({text: texts[i], score: cosine(query, vector)})));
  timed('compare', start, `Cosines of vectors of ${query.length} numbers.`);
});

onSubmit('rerank', async () => {
  const texts = lines('#rerank-texts');
  const start = performance.now();
  const ranked = await (await ask('rerank', {model: model('rerank'), query: one('#rerank-query').value, texts, truncate: true})).json();
  showBars('rerank', ranked.map(hit => ({text: texts[hit.index], score: hit.score})));
  timed('rerank', start, 'How well each passage answers, from 0 to 1.');
});

// ---- chat -----------------------------------------------------------------------------------------------------------

let messages = [];
let writing = null;

/** The events of an answer, one after the other. */
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const {value, done} = await reader.read();
    if (done) return;
    const whole = (rest + value).split('\n\n');
    rest = whole.pop();
    for (const line of whole) {
      const event = line.slice('data: '.length);
      if (event === '[DONE]') return;
      yield JSON.parse(event);
    }
  }
}

function say(text, role) {
  const line = element('p', text, role);
  one('#talk').append(line);
  one('#talk').scrollTop = one('#talk').scrollHeight;
  return line;
}

async function answer(line, stop) {
  const start = performance.now();
  let text = '', thoughts = '', first = 0, usage = null, drawn = true, thinking = null;
  // Once per frame: models may write faster than a browser lays out.
  const draw = () => {
    drawn = true;
    if (thoughts && !thinking) {
      thinking = element('p', '', 'thinking');
      thinking.title = 'What the model thinks before it answers';
      line.before(thinking);
    }
    if (thinking) thinking.textContent = thoughts;
    line.textContent = text;
    one('#talk').scrollTop = one('#talk').scrollHeight;
  };
  const response = await ask('v1/chat/completions', {
    model: model('chat'), messages, stream: true, stream_options: {include_usage: true},
    temperature: one('#chat-temperature').valueAsNumber || 0, max_completion_tokens: one('#chat-tokens').valueAsNumber || 256,
  }, stop.signal);
  try {
    for await (const event of events(response)) {
      if (event.error) throw new Error(event.error.message);
      const delta = event.choices[0]?.delta ?? {};
      const piece = delta.content ?? '', thought = delta.reasoning_content ?? '';
      if ((piece || thought) && !first) first = performance.now() - start;
      text += piece;
      thoughts += thought;
      usage = event.usage ?? usage;
      if (drawn) requestAnimationFrame(draw);
      drawn = false;
    }
  } catch (error) {
    if (error.name !== 'AbortError') throw error;
  } finally {
    draw();
    if (text || thoughts) messages.push({role: 'assistant', content: text, ...thoughts && {reasoning_content: thoughts}});
    one('#chat-attention').disabled = false;
  }
  const rate = usage ? `${usage.prompt_tokens} tokens read, ${usage.completion_tokens} written, ` : '';
  one('#chat .figures').textContent =
    `${rate}first text after ${first.toFixed(0)} ms, all after ${(performance.now() - start).toFixed(0)} ms.`;
}

one('#chat form').addEventListener('submit', async event => {
  event.preventDefault();
  if (writing) {
    writing.abort();
    return;
  }
  const field = one('#chat-text');
  messages.push({role: 'user', content: field.value});
  say(field.value, 'user');
  field.value = '';
  complain(null);
  const line = say('', 'assistant writing');
  const button = one('#chat button.main');
  button.textContent = 'Stop';
  writing = new AbortController();
  try {
    await answer(line, writing);
  } catch (error) {
    if (error.name !== 'AbortError') complain(error);
  } finally {
    line.classList.remove('writing');
    if (!line.textContent) line.remove();
    button.textContent = 'Send';
    writing = null;
    field.focus();
  }
});

// While an answer is written, the button stops it, and an empty field must not keep it from that.
one('#chat button.main').addEventListener('click', event => {
  if (writing) {
    event.preventDefault();
    writing.abort();
  }
});

one('#chat-text').addEventListener('keydown', event => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    if (!writing) one('#chat form').requestSubmit();
  }
});

one('#chat-clear').addEventListener('click', () => {
  writing?.abort();
  messages = [];
  one('#talk').replaceChildren();
  one('#chat .figures').textContent = '';
  one('#chat-attention').disabled = true;
});

// ---- attention ------------------------------------------------------------------------------------------------------

const MOST_CELL = 22, MOST_MAP = 128 * MOST_CELL;
let shown = null, chosen = 0;
/** The chat whose text stands in the field; null once that is another text. */
let talk = null;

function colour(weight) {
  const heat = getComputedStyle(document.documentElement).getPropertyValue('--heat');
  return `rgba(${heat}, ${Math.min(1, weight)})`;
}

function options(select, count) {
  if (select.length === count + 1) return;
  const chosen = Math.min(Number(select.value), count - 1);
  select.replaceChildren(new Option('mean', -1), ...Array.from({length: count}, (_, i) => new Option(i + 1, i)));
  select.value = chosen;
}

/** What has the strongest colour, row by row. Special tokens at the ends take up most weight, so they do not count. */
function strongest({tokens, weights}) {
  const last = tokens.length - 1;
  // Of a language model: the further down a row is, the more tokens share its weight, so each has a scale of its own.
  if (last > 0 && weights[0].every((weight, j) => j === 0 || weight === 0)) {
    return weights.map((row, i) => Math.max(...row.slice(i > 0 ? 1 : 0)) || 1);
  }
  let most = 0;
  weights.forEach((row, i) => row.forEach((weight, j) => {
    if (i > 0 && i < last && j > 0 && j < last) most = Math.max(most, weight);
  }));
  return weights.map(() => most || 1);
}

function drawMap() {
  const count = shown.tokens.length;
  const cell = Math.min(MOST_CELL, Math.floor(MOST_MAP / count));
  const canvas = one('#map');
  canvas.width = canvas.height = count * cell;
  const pen = canvas.getContext('2d');
  shown.weights.forEach((row, i) => row.forEach((weight, j) => {
    pen.fillStyle = colour(weight / shown.most[i]);
    pen.fillRect(j * cell, i * cell, cell - 1, cell - 1);
  }));
  pen.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue('--accent');
  pen.lineWidth = 2;
  pen.strokeRect(1, chosen * cell, count * cell - 3, cell - 1);
}

function select(query, focus) {
  chosen = query;
  const buttons = all('#tokens button');
  buttons.forEach((button, i) => {
    button.setAttribute('aria-pressed', i === query);
    button.tabIndex = i === query ? 0 : -1;
    const pen = one('canvas', button).getContext('2d');
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour(shown.weights[query][i] / shown.most[query]);
    pen.fillRect(0, 0, 1, 1);
  });
  if (focus) buttons[query].focus();
  const best = shown.weights[query].map((weight, i) => ({weight, token: shown.tokens[i]}))
    .filter(({weight}) => weight > 0).sort((a, b) => b.weight - a.weight).slice(0, 5);
  one('#strongest').textContent = `${shown.tokens[query]} attends to `
    + best.map(({token, weight}) => `${token} ${weight.toFixed(3)}`).join(', ');
  drawMap();
}

function tokenButton(token, index) {
  const button = element('button', token);
  button.type = 'button';
  const mark = document.createElement('canvas');
  mark.width = mark.height = 1;
  mark.setAttribute('aria-hidden', 'true');
  button.append(mark);
  button.addEventListener('click', () => select(index));
  button.addEventListener('pointerenter', () => select(index));
  button.addEventListener('keydown', event => {
    const step = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
    if (!step) return;
    event.preventDefault();
    select((index + step + shown.tokens.length) % shown.tokens.length, true);
  });
  return button;
}

onSubmit('attention', async () => {
  const before = shown?.tokens.join('\n');
  shown = await (await ask('fovea/attention', {
    model: model('attention'), ...talk ? {messages: talk} : {text: one('#attention-text').value},
    layer: Number(one('#attention-layer').value), head: Number(one('#attention-head').value),
  })).json();
  shown.most = strongest(shown);
  options(one('#attention-layer'), shown.layers);
  options(one('#attention-head'), shown.heads);
  // Another head of the same text keeps the token that is looked at.
  if (before !== shown.tokens.join('\n')) {
    chosen = talk ? shown.tokens.length - 1 : Math.min(1, shown.tokens.length - 1);
    one('#tokens').replaceChildren(...shown.tokens.map(tokenButton));
  }
  select(chosen);
});

one('#attention-text').addEventListener('input', () => { talk = null; });
one('#attention form select').addEventListener('change', () => { talk = null; });

one('#chat-attention').addEventListener('click', () => {
  choose(one('#tab-attention'), true);
  talk = [...messages];
  one('#attention-text').value = talk.map(message => message.content).join('\n');
  one('#attention form select').value = model('chat');
  one('#attention form').requestSubmit();
});

for (const id of ['#attention-layer', '#attention-head']) {
  one(id).addEventListener('change', () => one('#attention form').requestSubmit());
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  if (shown) select(chosen);
});

start().catch(complain).finally(() => { document.documentElement.dataset.ready = 'true'; });
