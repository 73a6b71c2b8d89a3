// What the phone keeps by itself: the route as it was last seen, and deeds that wait for a network.

const NAME = "giro-crew";
let opened;

function open() {
  opened ||= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore("facts");
      asked.result.createObjectStore("queue", { keyPath: "id", autoIncrement: true });
      asked.result.createObjectStore("told", { keyPath: "id", autoIncrement: true });
    };
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  return opened;
}

async function run(store, mode, deed) {
  const base = await open();
  return new Promise((resolve, reject) => {
    const turn = base.transaction(store, mode);
    const asked = deed(turn.objectStore(store));
    // Done is done only when the disk has it.
    turn.oncomplete = () => resolve(asked?.result);
    turn.onerror = () => reject(turn.error);
    turn.onabort = () => reject(turn.error);
  });
}

export const keepFact = (name, value) => run("facts", "readwrite", (store) => store.put(value, name));
export const fact = (name) => run("facts", "readonly", (store) => store.get(name));
export const append = (store, row) => run(store, "readwrite", (into) => into.add(row));
export const rows = (store) => run(store, "readonly", (from) => from.getAll());
export const remove = (store, id) => run(store, "readwrite", (from) => from.delete(id));
