// Lets the switch of languages lead to the same page, not to the start page: each page is there in
// both languages. Anchors differ, so they are left out.
{
  const language = (tag) => tag.split("-")[0]
  const ways = [...document.querySelectorAll("a.md-select__link[hreflang]")]
  const here = ways.find((way) => language(way.hreflang) === language(document.documentElement.lang))
  const root = here ? new URL(here.href).pathname : ""
  if (root && location.pathname.startsWith(root)) {
    const page = location.pathname.slice(root.length)
    for (const way of ways) way.href = new URL(page, way.href).href
  }
}
