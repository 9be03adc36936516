"""A static site that runs handcalc in the browser: nothing is installed, nothing is sent anywhere.

- building.py puts its files together: the page of static/, the texts of texts.py, the shipped problems, the packages of packages.py, and
  what npm packages provide (provided.py): Pyodide, which is Python for browsers, and CodeMirror, the editor.
- In the browser, static/site.js is the page, static/worker.js runs commands in Pyodide (cli/captured.py), static/service.js keeps the
  site for when there is no network, static/editor.js is the editor.

What a user types is data for handcalc there as anywhere: it is parsed, never executed; the page shows it as text, or as HTML that
render/formats/html.py has written.
"""
