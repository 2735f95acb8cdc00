// What screen readers say: thumbnails by their file's name, and each change of a status line.
() => {
    const label = () => {
        for (const image of document.querySelectorAll(".gallery-item:not([aria-label]) img"))
            image.closest("button").setAttribute("aria-label", image.src.split("/").pop().split(".")[0]);
        for (const line of document.querySelectorAll('[id$="-status"] textarea:not([role])')) {
            line.setAttribute("role", "status");
            line.setAttribute("aria-live", "polite");
        }
    };
    new MutationObserver(label).observe(document.body, {childList: true, subtree: true});
    label();
}
