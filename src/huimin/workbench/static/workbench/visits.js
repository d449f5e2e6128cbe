/* The telephone's form of a home visit (CASE-02): opens without a connection, keeps what is typed and photographed sealed in the
   browser, sends it when the connection is back, and tells what became of it. One form has one id, so the server takes it once.

   store    IndexedDB "huimin-visits": keys (the person's own, not readable by scripts, for a working day), round (households to
            visit, sealed), forms and files (sealed). Nothing lies there in plain but ids, states and days.
   states   draft 填写中 → ready 未发送 → sent 已发送, or refused 被退回 with the reason, and back to draft when it is mended */
(function () {
  "use strict";
  const main = document.querySelector("main.phone");
  if (!main) return;
  const cipher = window.crypto && window.crypto.subtle;
  const pages = main.querySelector("[data-pages]"), standing = main.querySelector("[data-standing]");
  const HOUR = 3600000, PHOTO_SIDE = 1600, STATES = { draft: "填写中", ready: "未发送", sent: "已发送", refused: "被退回" };
  let base = null, key = null, whose = "", round = null, csrf = "", spot = "", busy = false, shown = "";

  /* -- the store */
  const asked = (request) => new Promise((done, failed) => { request.onsuccess = () => done(request.result); request.onerror = () => failed(request.error); });
  const opened = () => new Promise((done, failed) => {
    const request = window.indexedDB.open("huimin-visits", 1);
    request.onupgradeneeded = () => {
      for (const name of ["keys", "round", "forms", "files"]) request.result.createObjectStore(name, { keyPath: "id" });
    };
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
  const put = (store, row) => asked(base.transaction(store, "readwrite").objectStore(store).put(row));
  const take = (store, id) => asked(base.transaction(store).objectStore(store).get(id));
  const every = (store) => asked(base.transaction(store).objectStore(store).getAll());
  const drop = (store, id) => asked(base.transaction(store, "readwrite").objectStore(store).delete(id));

  const seal = async (bytes) => {
    const iv = window.crypto.getRandomValues(new Uint8Array(12));
    return { iv, sealed: await cipher.encrypt({ name: "AES-GCM", iv }, key, bytes) };
  };
  const open = async (row) => new Uint8Array(await cipher.decrypt({ name: "AES-GCM", iv: row.iv }, key, row.sealed));
  /* Writes go one after the other, and what finishes or sends waits for them. */
  let writing = Promise.resolve();
  const write = (act) => { writing = writing.then(act, act); return writing; };
  const sealText = (value) => seal(new TextEncoder().encode(JSON.stringify(value)));
  const openText = async (row) => JSON.parse(new TextDecoder().decode(await open(row)));

  /* -- what the page is made of */
  const node = (name, attributes, ...inside) => {
    const made = document.createElement(name);
    for (const [at, value] of Object.entries(attributes || {})) {
      if (at.startsWith("on")) made.addEventListener(at.slice(2), value);
      else if (value === true) made.setAttribute(at, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(at, value);
    }
    made.append(...inside.filter((each) => each !== null && each !== undefined));
    return made;
  };
  const say = (words) => { standing.textContent = words; };
  const button = (words, act, kind) => node("button", { type: "button", class: "govuk-button" + (kind ? " govuk-button--" + kind : ""), onclick: act }, words);
  const group = (id, label, hint, ...inside) => node("div", { class: "govuk-form-group" }, node("label", { class: "govuk-label", for: id }, label), hint ? node("div", { class: "govuk-hint" }, hint) : null, ...inside);
  const line = (form, name, label, hint, more) => {
    const id = "f-" + name;
    return group(id, label, hint, node("input", Object.assign({ id, name, class: "govuk-input", value: form.values[name] || "", autocomplete: "off" }, more)));
  };
  const block = (form, name, label, hint) => {
    const id = "f-" + name, area = node("textarea", { id, name, class: "govuk-textarea", rows: 3, maxlength: 1000 });
    area.value = form.values[name] || "";
    return group(id, label, hint, area);
  };
  const choice = (name, kind, options, chosen, legend) => node("fieldset", { class: "govuk-fieldset govuk-form-group" }, node("legend", {}, node("b", {}, legend)),
    ...options.map(([value, words], n) => node("label", { class: "pickline", for: "f-" + name + n }, node("input", { id: "f-" + name + n, type: kind, name, value, checked: chosen.includes(value) }), " " + words)));
  const select = (form, name, label, options) => {
    const id = "f-" + name, made = node("select", { id, name, class: "govuk-select" });
    for (const each of options) {
      if (Array.isArray(each[1])) made.append(node("optgroup", { label: each[0] }, ...each[1].map(([value, words]) => node("option", { value }, words))));
      else made.append(node("option", { value: each[0] }, each[1]));
    }
    made.value = form.values[name] || "";
    return group(id, label, "", made);
  };
  const list = (form, name) => (Array.isArray(form.values[name]) ? form.values[name] : form.values[name] ? [form.values[name]] : []);

  /* -- forms */
  const newId = () => window.crypto.randomUUID ? window.crypto.randomUUID() : "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (c) => (c ^ (window.crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (c / 4)))).toString(16));
  const begin = (row) => ({ id: newId(), state: "draft", row, reason: "", number: "", values: { visited_on: round.day, investigators: [round.me] }, counts: [1, 0, 0] });
  const keep = async (form) => {
    const sealed = await sealText({ row: form.row, values: form.values, reason: form.reason, number: form.number, counts: form.counts });
    await put("forms", Object.assign({ id: form.id, whose, state: form.state, at: Date.now() }, sealed));
  };
  const forms = async () => {
    const found = [];
    for (const row of await every("forms")) {
      if (row.whose !== whose) continue;
      try { found.push(Object.assign({ id: row.id, state: row.state, at: row.at }, await openText(row))); } catch (broken) { /* sealed with a key that is no more */ }
    }
    return found.sort((a, b) => a.at - b.at);
  };
  const filesOf = async (id) => (await every("files")).filter((each) => each.form === id);
  const forget = async (id) => { for (const each of await filesOf(id)) await drop("files", each.id); };

  /* -- the list */
  const tone = { draft: "soon", ready: "soon", sent: "done", refused: "late" };
  const showList = async () => {
    shown = "";
    const made = await forms(), parts = [];
    if (made.length) parts.push(node("section", { class: "sheet" }, node("h2", {}, "这台手机上的表"), ...made.map((form) => node("div", { class: "card" },
      node("p", {}, node("b", {}, form.row.head || form.row.no), " " + form.row.what + " ", node("span", { class: "tag " + tone[form.state] }, STATES[form.state] + (form.state === "sent" && form.number ? " " + form.number : ""))),
      form.reason ? node("p", { class: form.state === "refused" ? "note late" : "hint" }, (form.state === "refused" ? "被退回：" : "") + form.reason) : null,
      form.state === "sent" ? button("从手机上清掉", async () => { await forget(form.id); await drop("forms", form.id); showList(); }, "secondary") : button(form.state === "draft" ? "接着填" : "打开", () => showForm(form), "secondary")))));
    parts.push(node("section", { class: "sheet" }, node("h2", {}, "要入户的（" + round.rows.length + " 户）"), ...(round.rows.length ? round.rows.map((row) => node("div", { class: "card" },
      node("p", {}, node("b", {}, row.head || row.no), " " + row.place + " ", row.due ? node("span", { class: "tag" + (row.late ? " late" : "") }, (row.late ? "超期，" : "") + row.due + " 到期") : null, node("span", { class: "sub" }, row.no + " · " + row.what + " · " + row.standing)),
      button("登记入户", () => showForm(begin(row))))) : [node("p", { class: "hint" }, "没有等着入户的。有网络时打开这一页，会取来最新的。")])));
    pages.replaceChildren(...parts);
  };

  /* -- one form */
  const values = (part) => {
    const found = {};
    new FormData(part).forEach((value, name) => { if (typeof value === "string") found[name] = name === "investigators" ? (found[name] || []).concat(value) : value; });
    return found;
  };
  const factOptions = () => [["", "请选择"], ["全户的", round.facts.filter((f) => f[2] === "h").map((f) => [f[0], f[1]])], ["个人的", round.facts.filter((f) => f[2] === "p").map((f) => [f[0], f[1]])]];
  const showForm = (form) => {
    shown = form.id;
    const row = form.row, people = row.people || [];
    const part = node("form", { novalidate: true, autocomplete: "off" });
    let timer = 0;
    const save = () => { window.clearTimeout(timer); form.values = values(part); if (form.state !== "draft") { form.state = "draft"; form.reason = ""; } return write(() => keep(form)).then(() => { kept.textContent = "已加密存在手机上"; }); };
    const later = () => { window.clearTimeout(timer); timer = window.setTimeout(save, 300); };
    const again = (n) => () => { form.values = values(part); form.counts[n] += 1; window.clearTimeout(timer); write(() => keep(form)).then(() => showForm(form)); };
    const kept = node("p", { class: "hint", role: "status" }, "边填边加密存在手机上");
    const neighbours = Array.from({ length: form.counts[0] }, (_, n) => node("fieldset", { class: "row-of" }, node("legend", {}, node("b", {}, "邻居 " + (n + 1))), line(form, "n" + n + "_name", "姓名", ""), line(form, "n" + n + "_relation", "与这一户的关系", ""), block(form, "n" + n + "_words", "说了什么", "")));
    const differs = Array.from({ length: form.counts[1] }, (_, n) => node("fieldset", { class: "row-of" }, node("legend", {}, node("b", {}, "第 " + (n + 1) + " 项")), select(form, "d" + n + "_fact", "哪一项", factOptions()), select(form, "d" + n + "_who", "谁（全户的不用选）", [["", "请选择"], ["h", "全户"], ...row.members]), line(form, "d" + n + "_value", "看到的", "金额填元，面积填亩；选项照登记的说法，如 是、否、慢性病")));
    const doubts = Array.from({ length: form.counts[2] }, (_, n) => block(form, "w" + n, "没有申报的情况 " + (n + 1), ""));
    part.append(
      node("section", { class: "sheet" }, node("h2", {}, "去了没有"), node("p", { class: "hint" }, (row.head || "") + " " + row.no + " · " + row.what + (row.since ? " · " + row.since + " 起办这一步" : "")), line(form, "visited_on", "调查日期", "如 2021-07-01", { inputmode: "numeric" }),
        choice("investigators", "checkbox", people, list(form, "investigators"), "调查人（二人以上）"), choice("met", "radio", round.met, list(form, "met"), "见到了谁"), line(form, "met_name", "见到的人", "不是申请人的写关系"), line(form, "place", "地点", "不在家里时填写"),
        node("input", { type: "hidden", name: "spot", value: form.values.spot || "" }), button("记下现在的位置", (event) => locate(part, event.target, save), "secondary")),
      node("section", { class: "sheet" }, node("h2", {}, "看到的情况"), ...round.topics.map(([code, label, hint]) => block(form, code, label, hint))),
      node("section", { class: "sheet" }, node("h2", {}, "邻里访问"), ...neighbours, form.counts[0] < round.neighbours ? button("再加一名邻居", again(0), "secondary") : null),
      node("section", { class: "sheet" }, node("h2", {}, "和申报不一致的"), node("p", { class: "hint" }, "照实填看到的，系统会和登记的对照。"), ...differs, ...doubts, form.counts[1] < 30 ? button("加一项", again(1), "secondary") : null, " ", form.counts[2] < 10 ? button("没有申报的情况", again(2), "secondary") : null),
      photos(form, save), signatures(form, people, part, save),
      node("section", { class: "sheet" }, line(form, "refused", "被调查人不签字的原因", "签了字的不填"), line(form, "witness", "见证人", "不签字时填写姓名和身份"), kept),
      node("div", { class: "thumb" }, button("完成发送", async () => { await save(); form.state = "ready"; form.reason = ""; await write(() => keep(form)); await showList(); send(); }), " ", button("先存", async () => { await save(); showList(); }, "secondary"), " ", button("不要", async () => { if (window.confirm("这张表和它的照片会从手机上清掉，不能恢复。")) { window.clearTimeout(timer); await write(async () => { await forget(form.id); await drop("forms", form.id); }); showList(); } }, "secondary")));
    part.addEventListener("input", later);
    part.addEventListener("submit", (event) => event.preventDefault());
    pages.replaceChildren(form.reason && form.state === "refused" ? node("p", { class: "note late", role: "alert" }, "被退回：" + form.reason) : node("span", {}), part);
    write(() => keep(form));
    window.scrollTo(0, 0);
  };
  const locate = (part, at, save) => {
    if (!navigator.geolocation) { at.textContent = "这台手机不能定位，请写地点"; return; }
    at.textContent = "正在定位…";
    navigator.geolocation.getCurrentPosition((found) => {
      spot = [found.coords.latitude.toFixed(5), found.coords.longitude.toFixed(5), Math.round(found.coords.accuracy)].join(",");
      part.elements.spot.value = spot;
      at.textContent = "已记下位置，误差约 " + Math.round(found.coords.accuracy) + " 米";
      save();
    }, () => { at.textContent = "没有定到位，请写地点"; }, { enableHighAccuracy: true, timeout: 20000 });
  };

  /* -- photos and signatures: made small, sealed, shown while the page is open */
  const store = async (form, name, blob, more) => {
    const id = form.id + "/" + name;
    await put("files", Object.assign({ id, form: form.id, name }, await seal(new Uint8Array(await blob.arrayBuffer())), { about: await sealText(more || {}) }));
  };
  const shrunk = async (file) => {
    const picture = await window.createImageBitmap(file), most = Math.max(picture.width, picture.height), by = Math.min(1, PHOTO_SIDE / most);
    const canvas = node("canvas", {});
    canvas.width = Math.round(picture.width * by);
    canvas.height = Math.round(picture.height * by);
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    return new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.8));
  };
  const photos = (form, save) => {
    const shelf = node("div", { class: "shelf" });
    const show = async () => {
      const found = (await filesOf(form.id)).filter((each) => each.name.startsWith("photo_"));
      shelf.replaceChildren(...await Promise.all(found.map(async (each, n) => {
        const about = await openText(each.about);
        return node("p", {}, "照片 " + (n + 1) + "，" + (about.at || "").slice(0, 16).replace("T", " ") + " ", button("去掉", async () => { await drop("files", each.id); show(); }, "secondary"));
      })));
    };
    const input = node("input", { id: "f-photos", type: "file", class: "govuk-file-upload", accept: "image/*", multiple: true, onchange: async (event) => {
      for (const file of Array.from(event.target.files)) {
        let small = null;
        try { small = await shrunk(file); } catch (unreadable) { say("有一张不是照片，没有存下"); continue; }
        await write(() => store(form, "photo_" + Date.now() % 1e9 + Math.floor(Math.random() * 1000), small, { at: new Date(file.lastModified || Date.now()).toISOString(), spot }));
      }
      event.target.value = "";
      await save();
      show();
    } });
    show();
    return node("section", { class: "sheet" }, node("h2", {}, "现场照片"), group("f-photos", "拍照或选照片", "缩小后加密存在手机上，带拍摄时间；记过位置的带位置", input), shelf);
  };
  const pad = (form, name, label, save) => {
    const canvas = node("canvas", { class: "pad", width: 640, height: 240, tabindex: 0, role: "img", "aria-label": label + "，在框里写" }), told = node("span", { class: "hint" });
    const pen = canvas.getContext("2d");
    let drawing = false, drawn = false;
    const at = (event) => { const box = canvas.getBoundingClientRect(); return [(event.clientX - box.left) * canvas.width / box.width, (event.clientY - box.top) * canvas.height / box.height]; };
    const clear = () => { pen.fillStyle = "#fff"; pen.fillRect(0, 0, canvas.width, canvas.height); pen.lineWidth = 5; pen.lineCap = "round"; pen.strokeStyle = "#1d2329"; drawn = false; };
    clear();
    canvas.addEventListener("pointerdown", (event) => { drawing = true; canvas.setPointerCapture(event.pointerId); pen.beginPath(); pen.moveTo(...at(event)); });
    canvas.addEventListener("pointermove", (event) => { if (!drawing) return; drawn = true; pen.lineTo(...at(event)); pen.stroke(); });
    canvas.addEventListener("pointerup", async () => {
      drawing = false;
      if (!drawn) return;
      await write(async () => store(form, name, await new Promise((done) => canvas.toBlob(done, "image/png"))));
      told.textContent = "已签";
      save();
    });
    take("files", form.id + "/" + name).then(async (kept) => {
      if (!kept) return;
      const picture = await window.createImageBitmap(new Blob([await open(kept)], { type: "image/png" }));
      pen.drawImage(picture, 0, 0);
      told.textContent = "已签";
    });
    return node("div", { class: "govuk-form-group" }, node("b", {}, label + " "), told, canvas, button("重签", async () => { clear(); await drop("files", form.id + "/" + name); told.textContent = ""; }, "secondary"));
  };
  const signatures = (form, people, part, save) => {
    const shelf = node("div", {});
    const show = () => {
      const went = Array.from(part.querySelectorAll("[name=investigators]:checked")).map((box) => box.value);
      shelf.replaceChildren(pad(form, "household", "被调查人签名", save), ...people.filter(([id]) => went.includes(id)).map(([id, name]) => pad(form, "signature_" + id, name + " 签名", save)));
    };
    part.addEventListener("change", (event) => { if (event.target.name === "investigators") show(); });
    window.setTimeout(show, 0);
    return node("section", { class: "sheet" }, node("h2", {}, "双方签字"), node("p", { class: "hint" }, "念一遍记下的情况，无误后签字。也可以签在纸上，回来再传。"), shelf);
  };

  /* -- sending */
  const multipart = async (form) => {
    const data = new FormData();
    for (const [name, value] of Object.entries(form.values)) for (const each of [].concat(value)) data.append(name, each);
    data.set("client_id", form.id);
    const went = list(form, "investigators");
    for (const each of await filesOf(form.id)) {
      if (each.name.startsWith("signature_") && !went.includes(each.name.slice(10))) continue;
      const photo = each.name.startsWith("photo_"), about = await openText(each.about);
      data.append(each.name, new Blob([await open(each)], { type: photo ? "image/jpeg" : "image/png" }), each.name + (photo ? ".jpg" : ".png"));
      if (photo) { data.append(each.name + "_at", about.at || ""); data.append(each.name + "_spot", about.spot || ""); }
    }
    return data;
  };
  const sendOne = async (form) => {
    const answer = await fetch(form.row.send + "?" + form.row.matter, { method: "POST", body: await multipart(form), credentials: "same-origin", headers: { "X-CSRFToken": csrf } });
    if (answer.redirected || (answer.headers.get("Content-Type") || "").indexOf("json") < 0) throw new Error("signed out");
    const told = await answer.json();
    form.state = told.state;
    form.reason = told.state === "sent" ? told.words : told.reason;
    form.number = told.number || "";
    if (told.state === "sent") { form.values = {}; await forget(form.id); }
    await keep(form);
  };
  const send = async () => {
    if (busy || !key) return;
    const ready = (await forms()).filter((form) => form.state === "ready");
    if (!ready.length) return;
    busy = true;
    try {
      await fetchRound();
      for (const form of ready) { say("正在发送 " + (form.row.head || form.row.no) + "…"); await sendOne(form); }
      await fetchRound();
      say("已经发送");
    } catch (away) {
      say(away.message === "signed out" ? "要重新登录，登录后自动发送" : "没有网络，恢复后自动发送");
      if (away.message === "signed out") offerSignIn();
    }
    busy = false;
    if (!shown) showList();
  };
  const offerSignIn = () => { if (!standing.querySelector("a")) standing.append(" ", node("a", { href: main.dataset.signIn }, "登录")); };

  /* -- the round */
  const bytesOf = (text) => Uint8Array.from(window.atob(text), (char) => char.charCodeAt(0));
  const fetchRound = async () => {
    const answer = await fetch(main.dataset.round, { credentials: "same-origin", cache: "no-store" });
    if (answer.redirected || !answer.ok) throw new Error("signed out");
    const told = await answer.json();
    key = await cipher.importKey("raw", bytesOf(told.key), "AES-GCM", false, ["encrypt", "decrypt"]);
    whose = told.whose;
    csrf = told.csrf;
    delete told.key;
    delete told.csrf;
    round = told;
    for (const old of await every("keys")) if (old.id !== whose || old.until < Date.now()) await drop("keys", old.id);
    await put("keys", { id: whose, key, until: Date.now() + told.hours * HOUR });
    await put("round", Object.assign({ id: whose, at: Date.now() }, await sealText(told)));
  };
  const keptRound = async () => {
    const own = (await every("keys")).filter((each) => each.until > Date.now()).sort((a, b) => b.until - a.until)[0];
    for (const old of await every("keys")) if (old.until <= Date.now()) await drop("keys", old.id);
    if (!own) return false;
    key = own.key;
    whose = own.id;
    const kept = await take("round", whose);
    round = kept ? await openText(kept) : null;
    return Boolean(round);
  };
  const start = async () => {
    if (!cipher || !window.indexedDB) { say("这一页要用加密连接（https）打开才能离线填写；现在请用普通的表。"); return; }
    base = await opened();
    let signedOut = false;
    try { await fetchRound(); say("已取来今天要入户的，没有网络也能填"); } catch (away) {
      signedOut = away.message === "signed out";
      if (!(await keptRound())) { say(signedOut ? "请先登录" : "没有网络，手机上也没有可用的内容：请在有网络时登录打开一次"); if (signedOut) offerSignIn(); return; }
      say(signedOut ? "要重新登录才能发送，现在可以接着填" : "没有网络，现在填的先存在手机上");
      if (signedOut) offerSignIn();
    }
    await showList();
    send();
  };
  const prepare = () => {
    if (!navigator.serviceWorker) return;
    navigator.serviceWorker.register(main.dataset.worker).then(() => navigator.serviceWorker.ready).then((ready) => {
      const parts = Array.from(document.querySelectorAll("link[rel=stylesheet], link[rel=icon], script[src]")).map((each) => new URL(each.href || each.src).pathname);
      ready.active.postMessage({ keep: [window.location.pathname].concat(parts) });
    }).catch(() => { /* without a worker the page still works while it is open */ });
  };
  window.addEventListener("online", send);
  window.setInterval(send, 15000);
  prepare();
  start();
})();
