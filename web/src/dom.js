/** Makes an element; properties of the object become attributes, functions become listeners. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return element;
}

export async function loadTitle(id, packageId) {
  const query = packageId ? `?package=${encodeURIComponent(packageId)}` : "";
  const response = await fetch(`/v1/titles/${encodeURIComponent(id)}${query}`);
  const body = await response.json();
  if (!response.ok) throw new Error(body.detail ?? response.statusText);
  return body;
}
