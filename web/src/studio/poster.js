// One picture of a sheet of thumbnails, cut out by an SVG view box.
const SVG = "http://www.w3.org/2000/svg";

export function poster(uri) {
  const [address, fragment] = (uri ?? "").split("#xywh=");
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("aria-hidden", "true");
  if (!fragment) {
    svg.setAttribute("viewBox", "-56 -24.3 144 81");
    svg.setAttribute("class", "no-poster");
    const mark = document.createElementNS(SVG, "path");
    mark.setAttribute("d", "M8 23V9.6l8 7.2 8-7.2V23");
    svg.append(mark);
    return svg;
  }
  const [x, y, width, height] = fragment.split(",").map(Number);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("preserveAspectRatio", "xMidYMid slice");
  const image = document.createElementNS(SVG, "image");
  image.setAttribute("x", String(-x));
  image.setAttribute("y", String(-y));
  // The sheet's own size is not told in lists; a picture knows it once it is there.
  const sheet = new Image();
  sheet.addEventListener("load", () => {
    image.setAttribute("width", String(sheet.naturalWidth));
    image.setAttribute("height", String(sheet.naturalHeight));
    image.setAttribute("href", address);
    svg.append(image);
  });
  sheet.src = address;
  return svg;
}
