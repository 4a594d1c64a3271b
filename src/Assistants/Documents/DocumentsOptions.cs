using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Stoa.Assistants.Documents;

/// <summary>Section <c>Assistants:Documents</c>: how far websites are read, and how large a document may be.</summary>
internal sealed class DocumentsOptions
{
    public const string Section = "Assistants:Documents";

    /// <summary>Of one user: those of which he has pages, or is about to have. They are read again also beyond it.</summary>
    [Range(1, 100_000)]
    public int MaxWebsites { get; set; } = 50;

    /// <summary>Texts and files of one user; pages of websites do not count.</summary>
    [Range(1, 1_000_000)]
    public int MaxTexts { get; set; } = 1_000;

    /// <summary>Of one website in one run.</summary>
    [Range(1, 1_000_000)]
    public int MaxPages { get; set; } = 100;

    /// <summary>Links between the base page and a page.</summary>
    [Range(0, 100)]
    public int MaxDepth { get; set; } = 2;

    /// <summary>Of one page, unpacked, and of an uploaded file.</summary>
    [Range(1, 1_000_000)]
    public int MaxPageKb { get; set; } = 2_048;

    /// <summary>Of all pages of a website in one run.</summary>
    [Range(1, 1_000_000)]
    public int MaxSiteMb { get; set; } = 30;

    /// <summary>For one request, redirects included.</summary>
    [Range(1, 600)]
    public int PageSeconds { get; set; } = 10;

    /// <summary>For all of a website in one run.</summary>
    [Range(1, 100_000)]
    public int SiteMinutes { get; set; } = 10;

    /// <summary>Between two requests to a host; what its robots.txt asks for may be more, up to half a minute.</summary>
    [Range(0, 60_000)]
    public int DelayMs { get; set; } = 1_000;

    /// <summary>Requests to one host at the same time, where there is no delay.</summary>
    [Range(1, 32)]
    public int PagesAtOnce { get; set; } = 4;

    /// <summary>How websites are told who reads them; robots.txt is asked for the word before the slash.</summary>
    [Required, RegularExpression("^[A-Za-z0-9_-]+(/[!-~]+)?$")]
    public string UserAgent { get; set; } = "StoaBot/1.0";

    /// <summary>An address or e-mail that stands in the user agent, for whoever runs the website.</summary>
    [RegularExpression("^[!-~]*$")]
    public string Contact { get; set; } = "";

    /// <summary>Websites are read again after so many days; 0: only when somebody asks.</summary>
    [Range(0, 3_650)]
    public int RefreshDays { get; set; }

    /// <summary>Asks the model whether a chunk of a website is worth keeping, besides the rules of thumb.</summary>
    public bool AskRelevance { get; set; }

    /// <summary>
    /// Who has more chunks than this is searched by an index of pgvector, where the database has that; 0: nobody is, and none is made.
    /// </summary>
    [Range(0, 10_000_000)]
    public int VectorIndexAbove { get; set; } = 50_000;

    /// <summary>PDF is read with <c>pdftotext</c> where it is installed, for so long at the most.</summary>
    [Range(1, 600)]
    public int PdfSeconds { get; set; } = 30;
}

[OptionsValidator]
internal sealed partial class DocumentsOptionsValidator : IValidateOptions<DocumentsOptions>;
