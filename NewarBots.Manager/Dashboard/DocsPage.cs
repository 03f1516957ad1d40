using System.Text;
using System.Text.RegularExpressions;
using Markdig;
using Markdig.Extensions.AutoIdentifiers;
using Markdig.Extensions.Tables;
using Markdig.Renderers;
using Markdig.Renderers.Html;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace NewarBots.Manager.Dashboard;

/// <summary>Renders the docs for the dashboard, with links to its own addresses (<c>#/docs/api/events</c>).</summary>
internal static partial class DocsPage
{
    public const string Extension = ".md";

    private static readonly MarkdownPipeline Pipeline =
        new MarkdownPipelineBuilder().UsePipeTables().UseAutoIdentifiers(AutoIdentifierOptions.GitHub).DisableHtml().Build();

    /// <param name="name">The page's name, without its extension.</param>
    /// <param name="markdown">UTF-8.</param>
    public static string Render(string name, byte[] markdown)
    {
        var document = Markdown.Parse(Encoding.UTF8.GetString(markdown), Pipeline);
        foreach (var link in document.Descendants<LinkInline>().ToList())
            Redirect(link, name);
        foreach (var link in document.Descendants<AutolinkInline>())
            OpenElsewhere(link);
        // The page moves the focus to headings and rows, and scrolls wide blocks by keyboard.
        foreach (var heading in document.Descendants<HeadingBlock>())
            heading.GetAttributes().AddProperty("tabindex", "-1");
        foreach (var code in document.Descendants<CodeBlock>())
            code.GetAttributes().AddProperty("tabindex", "0");
        foreach (var row in document.Descendants<TableRow>())
        {
            if (row[0].Descendants<CodeInline>().FirstOrDefault()?.Content is not { } word || !MachineWord.IsMatch(word))
                continue;
            row.GetAttributes().Id = word;
            row.GetAttributes().AddProperty("tabindex", "-1");
        }

        using var html = new StringWriter();
        var renderer = new HtmlRenderer(html);
        Pipeline.Setup(renderer);
        renderer.ObjectRenderers.Replace<HtmlTableRenderer>(new ScrollingTableRenderer());
        renderer.Render(document);
        return $"<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{name}</title><body>{html}</body></html>";
    }

    private static void Redirect(LinkInline link, string page)
    {
        if (Uri.TryCreate(link.Url, UriKind.Absolute, out _))
            OpenElsewhere(link);
        else if (DocsLink.Match(link.Url!) is { Success: true, Groups: var found })
            link.Url = $"#/docs/{(found["page"].Success ? found["page"].Value : page)}{(found["heading"].Success ? $"/{found["heading"].Value}" : string.Empty)}";
        else if (link.IsImage)
            link.Url = $"/page/docs/{Path.GetFileName(link.Url)}";
        else
            // The manager does not serve this file of the repository.
            link.ReplaceBy(new ContainerInline());
    }

    private static void OpenElsewhere(Inline link)
    {
        link.GetAttributes().AddProperty("rel", "noreferrer");
        link.GetAttributes().AddProperty("target", "_blank");
    }

    [GeneratedRegex("^((?<page>[a-z-]+)\\.md)?(#(?<heading>.+))?$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex DocsLink { get; }

    [GeneratedRegex("^[a-z_]+$", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex MachineWord { get; }

    private sealed class ScrollingTableRenderer : HtmlTableRenderer
    {
        protected override void Write(HtmlRenderer renderer, Table table)
        {
            renderer.Write("<div class=\"table\" tabindex=\"0\" role=\"group\" aria-label=\"Table\">");
            base.Write(renderer, table);
            renderer.Write("</div>");
        }
    }
}
