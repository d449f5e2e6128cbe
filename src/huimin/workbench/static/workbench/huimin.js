/* Keys, the finder, counting what is ticked, sending once. Everything essential also works without this file. */
(function () {
  "use strict";
  var one = function (selector, root) { return (root || document).querySelector(selector); };
  var all = function (selector, root) { return Array.prototype.slice.call((root || document).querySelectorAll(selector)); };
  var typing = function (node) { return /^(INPUT|TEXTAREA|SELECT)$/.test(node.tagName) || node.isContentEditable; };
  var open = function (id) {
    var dialog = document.getElementById(id);
    if (!dialog || !dialog.showModal) return false;
    if (!dialog.open) dialog.showModal();
    var field = one("input", dialog);
    if (field) field.select();
    return true;
  };

  document.addEventListener("click", function (event) {
    var opener = event.target.closest("[data-opens]");
    if (opener && !event.ctrlKey && open(opener.dataset.opens)) event.preventDefault();
    if (event.target.closest("[data-closes]")) event.target.closest("dialog").close();
    if (event.target.closest("[data-prints]")) window.print();
    if (event.target.tagName === "DIALOG") event.target.close();
    all("details.me[open]").forEach(function (menu) { if (!menu.contains(event.target)) menu.open = false; });
  });

  document.addEventListener("keydown", function (event) {
    if (event.key === "Enter" && (event.isComposing || event.keyCode === 229)) return event.preventDefault();
    var key = event.key.toLowerCase();
    if ((event.ctrlKey || event.metaKey) && key === "k") { if (open("finder")) event.preventDefault(); return; }
    if (event.key === "?" && !typing(event.target) && open("shortcuts")) return event.preventDefault();
    if (!event.altKey || event.ctrlKey || event.metaKey) return;
    var goes = { KeyN: "[rel=next]", KeyP: "[rel=prev]", KeyG: ".brand" }[event.code];
    var link = goes && one(goes);
    if (link) { event.preventDefault(); link.click(); }
    if (event.code === "KeyS" && one("form[data-main]")) { event.preventDefault(); one("form[data-main]").requestSubmit(); }
  });

  /* A form is sent once; coming back to the page makes it ready again. */
  document.addEventListener("submit", function (event) {
    if (event.target.method !== "post") return;
    if (event.target.dataset.sent) return event.preventDefault();
    event.target.dataset.sent = "1";
    all("button", event.target).forEach(function (button) { button.setAttribute("aria-disabled", "true"); });
  });
  window.addEventListener("pageshow", function () {
    all("form[data-sent]").forEach(function (form) { delete form.dataset.sent; });
    all("button[aria-disabled]").forEach(function (button) { button.removeAttribute("aria-disabled"); });
    var problems = one("[data-problems]");
    if (problems) problems.focus();
  });

  /* The finder: asks as one types, never while pinyin is being chosen. */
  var field = one("[data-finds]"), found = one("#finder-found"), wait = 0, asked = "";
  var ask = function () {
    var text = field.value.trim();
    if (text === asked) return;
    asked = text;
    if (!text) { found.textContent = ""; return; }
    fetch(field.dataset.finds + "?part=1&q=" + encodeURIComponent(text), { credentials: "same-origin" })
      .then(function (answer) { return answer.redirected ? window.location.reload() : answer.text(); })
      .then(function (html) { if (html !== undefined && text === asked) found.innerHTML = html; });
  };
  var move = function (by) {
    var links = all("a", found), at = links.findIndex(function (link) { return link.hasAttribute("data-at"); });
    if (!links.length) return;
    if (at >= 0) links[at].removeAttribute("data-at");
    var next = links[(at + by + links.length) % links.length] || links[0];
    next.setAttribute("data-at", "");
    next.scrollIntoView({ block: "nearest" });
  };
  if (field) {
    field.addEventListener("input", function (event) {
      if (event.isComposing) return;
      window.clearTimeout(wait);
      wait = window.setTimeout(ask, 150);
    });
    field.addEventListener("compositionend", ask);
    field.addEventListener("keydown", function (event) {
      if (event.isComposing) return;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); move(event.key === "ArrowDown" ? 1 : -1); }
      var chosen = one("[data-at]", found) || (all("a", found).length === 1 && one("a", found));
      if (event.key === "Enter" && chosen) { event.preventDefault(); chosen.click(); }
    });
  }

  /* Ticked rows: how many and how much, in whole 分. */
  all("form[data-counts]").forEach(function (form) {
    var boxes = all("input.box[name]", form), every = one("input.box[data-every]", form), sum = one(".sum", form), plain = sum && sum.textContent;
    var show = function () {
      var ticked = boxes.filter(function (box) { return box.checked; });
      var seen = {};
      var fen = ticked.reduce(function (total, box) {
        if (box.dataset.of && seen[box.dataset.of]) return total;  /* what several rows are about counts once */
        seen[box.dataset.of] = true;
        return total + Number(box.dataset.fen || 0);
      }, 0);
      var yuan = Math.floor(fen / 100).toString().replace(/\B(?=(\d{3})+$)/g, ",") + "." + ("0" + (fen % 100)).slice(-2);
      if (sum) sum.textContent = ticked.length ? "已选 " + ticked.length + " 件，合计 ¥" + yuan : plain;
      if (every) { every.checked = boxes.length > 0 && ticked.length === boxes.length; every.indeterminate = ticked.length > 0 && ticked.length < boxes.length; }
    };
    if (every) every.addEventListener("change", function () { boxes.forEach(function (box) { box.checked = every.checked; }); show(); });
    boxes.forEach(function (box) { box.addEventListener("change", show); });
    show();
  });

  /* A draft is checked by the server as one types; faults are told at their field. Nothing is stored. */
  all("form[data-checks]").forEach(function (form) {
    var part = one("[data-checked]", form), timer = 0, number = 0;
    var place = function () {
      all("[data-fielded]", form).forEach(function (group) {
        var told = all("[data-field]", part).filter(function (item) { return item.dataset.field === group.dataset.fielded || group.dataset.fielded === "text"; });
        var error = one(".govuk-error-message", group);
        one("[data-fault]", error).textContent = told.map(function (item) { return item.dataset.told; }).join(" ");
        one(".govuk-visually-hidden", error).textContent = told.length ? "错误：" : "";  // what describes a field is read out though hidden
        error.hidden = !told.length;
        group.classList.toggle("govuk-form-group--error", told.length > 0);
      });
    };
    var run = function () {
      var data = new FormData(form), mine = ++number;
      data.delete("token");
      fetch(form.dataset.checks, { method: "POST", body: data, credentials: "same-origin" })
        .then(function (answer) { return answer.ok && !answer.redirected ? answer.text() : ""; })
        .then(function (html) { if (html && mine === number) { part.innerHTML = html; place(); } })
        .catch(function () { /* the page still has its 检查 button */ });
    };
    var later = function (event) { if (event.isComposing) return; window.clearTimeout(timer); timer = window.setTimeout(run, 600); };
    form.addEventListener("input", later);
    form.addEventListener("compositionend", later);
  });

  /* What a browser keeps for somebody is sealed with a key that only his own pages bring along (AES-GCM); where the browser
     has no ciphers (a page without TLS on another machine) nothing is kept. */
  var sealing = function (secret) {
    var cipher = window.crypto && window.crypto.subtle, bytes = function (text) { return Uint8Array.from(window.atob(text), function (char) { return char.charCodeAt(0); }); };
    var text = function (array) { return window.btoa(Array.from(array, function (byte) { return String.fromCharCode(byte); }).join("")); };
    var key = cipher && secret ? cipher.importKey("raw", bytes(secret), "AES-GCM", false, ["encrypt", "decrypt"]) : Promise.reject(new Error("no cipher"));
    key.catch(function () { /* told by works */ });
    return {
      works: Boolean(cipher && secret),
      seal: function (plain) {
        var nonce = window.crypto.getRandomValues(new Uint8Array(12));
        return key.then(function (own) { return cipher.encrypt({ name: "AES-GCM", iv: nonce }, own, new TextEncoder().encode(plain)); })
          .then(function (sealed) { return text(nonce) + "." + text(new Uint8Array(sealed)); });
      },
      open: function (kept) {
        var parts = kept.split(".");
        return key.then(function (own) { return cipher.decrypt({ name: "AES-GCM", iv: bytes(parts[0]) }, own, bytes(parts[1])); })
          .then(function (plain) { return new TextDecoder().decode(plain); });
      }
    };
  };
  /* Drafts of before lay here unsealed. */
  try { Object.keys(window.localStorage).forEach(function (name) { if (name.indexOf("draft:/") === 0) window.localStorage.removeItem(name); }); } catch (closed) { /* nothing kept */ }

  /* A form that keeps a draft: on this machine at once, at the server as soon as the connection lets it. */
  all("form[data-drafts]").forEach(function (form) {
    var kept = one("[data-kept]", form), vault = sealing(form.dataset.draftsKey), key = "draft:" + form.dataset.draftsFor + ":" + form.dataset.drafts, timer = 0, busy = false;
    var say = function (words) { if (kept) kept.textContent = words; };
    var turn = 0, local = function (text) {
      var mine = ++turn, put = function (sealed) { try { if (mine === turn) window.localStorage.setItem(key, sealed); } catch (full) { /* a full store must not stop typing */ } };
      if (text !== null) vault.seal(text).then(put).catch(function () { /* no cipher on this machine: nothing is kept here */ });
      else try { window.localStorage.removeItem(key); } catch (closed) { /* nothing was kept */ }
    };
    var typed = function () { var found = {}; new FormData(form).forEach(function (value, name) { if (!/^(csrfmiddlewaretoken|token|stage)$/.test(name)) found[name] = value; }); return JSON.stringify(found); };
    var send = function () {
      if (busy) return;
      busy = true;
      var text = typed(), data = new FormData(form);
      data.delete("token");
      fetch(form.dataset.drafts, { method: "POST", body: data, credentials: "same-origin" })
        .then(function (answer) { if (answer.status !== 204) throw new Error("not kept"); if (typed() === text) local(null); say("草稿已存"); })
        .catch(function () { say(vault.works ? "连接中断，草稿先加密存在这台机器上，恢复后自动保存" : "连接中断，草稿还没有存下，请不要离开这一页"); window.clearTimeout(timer); timer = window.setTimeout(send, 5000); })
        .then(function () { busy = false; });
    };
    var later = function (event) { if (event.isComposing) return; local(typed()); window.clearTimeout(timer); timer = window.setTimeout(send, 1500); };
    var put = function (found) {
      Object.keys(found).forEach(function (name) { var node = form.elements[name]; if (node && node.tagName && node.type !== "hidden") { if (node.type === "checkbox") node.checked = true; else node.value = found[name]; } });
      say("已取回断线时填的内容");
      send();
    };
    var sealed = null;
    try { sealed = window.localStorage.getItem(key); } catch (closed) { sealed = null; }
    if (sealed && !one("[data-problems]")) vault.open(sealed).then(function (text) { put(JSON.parse(text)); }).catch(function () { /* sealed for somebody else, or broken */ });
    form.addEventListener("input", later);
    form.addEventListener("compositionend", later);
    form.addEventListener("submit", function () { window.clearTimeout(timer); try { window.sessionStorage.setItem("sent", key); } catch (full) { /* only the tidying is lost */ } });
    window.addEventListener("online", send);
  });
  /* What was sent and answered need not be kept on this machine any more. */
  try {
    if (one(".outcome") && window.sessionStorage.getItem("sent")) { window.localStorage.removeItem(window.sessionStorage.getItem("sent")); window.sessionStorage.removeItem("sent"); }
  } catch (closed) { /* no store, nothing kept */ }

  /* Who signs out takes the key of his telephone's forms with him (visits.js); what is sealed stays for when he comes back. */
  document.addEventListener("submit", function (event) {
    if (!/\/sign-out\/$/.test(event.target.action || "") || !window.indexedDB || !window.indexedDB.databases) return;
    window.indexedDB.databases().then(function (found) {
      if (!found.some(function (each) { return each.name === "huimin-visits"; })) return;
      window.indexedDB.open("huimin-visits").onsuccess = function (opened) { opened.target.result.transaction("keys", "readwrite").objectStore("keys").clear(); };
    });
  });

  /* Long work: the part of the page that shows progress is asked for again until it is over. */
  all("[data-polls]").forEach(function (part) {
    var again = function () {
      fetch(part.dataset.polls, { credentials: "same-origin" }).then(function (answer) { return answer.ok ? answer.text() : ""; }).then(function (html) {
        if (!html) return window.setTimeout(again, 5000);
        part.innerHTML = html;
        if (one("[data-over]", part)) window.location.reload(); else window.setTimeout(again, 1000);
      });
    };
    window.setTimeout(again, 1000);
  });
})();
