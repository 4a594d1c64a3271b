using System.ComponentModel.DataAnnotations;
using System.Net;
using Microsoft.AspNetCore.Http;

namespace Stoa.Platform;

/// <summary>What this process does. One process can be everything.</summary>
[Flags]
public enum ProcessRole
{
    Api = 1,
    Worker = 2,
    All = Api | Worker,
}

public enum LogFormat
{
    Json,
    Text,
}

/// <summary>Settings of the host itself, section <c>Stoa</c>.</summary>
public sealed class StoaOptions : IValidatableObject
{
    public const string Section = "Stoa";

    /// <summary>Everything we keep on disk. A relative path is taken from the current directory.</summary>
    [Required]
    public string DataDirectory { get; set; } = "data";

    /// <summary>
    /// The keys that seal cookies and what nobody may read in the database. Hosts on several machines must have one folder. Absent:
    /// <c>cookie-keys</c> of the data directory.
    /// </summary>
    public string? KeysDirectory { get; set; }

    /// <summary>The folder of PostgreSQL's server programs, for the private cluster. Absent: the usual places are searched.</summary>
    public string? PostgresBin { get; set; }

    /// <summary>Where <c>/metrics</c> and the routes between our own processes answer; semicolons between several.</summary>
    [Required]
    public string InternalUrls { get; set; } = "http://127.0.0.1:8081";

    /// <summary>Where clients reach this installation (<c>https://stoa.example.org</c>), for links that are made outside of a request.
    /// Absent: the first address it listens on.</summary>
    public string? PublicUrl { get; set; }

    public ProcessRole Role { get; set; } = ProcessRole.All;

    /// <summary>Addresses or networks (<c>10.0.0.0/8</c>) whose <c>X-Forwarded-*</c> headers are believed.</summary>
    public List<string> KnownProxies { get; set; } = [];

    /// <summary>Origins that may call the surfaces which sign in by cookie.</summary>
    public List<string> CorsOrigins { get; set; } = [];

    /// <summary>How many different wrong keys, tokens and secrets one address may send in a minute.</summary>
    [Range(1, 1_000)]
    public int WrongCredentialsPerMinute { get; set; } = 100;

    /// <summary>Absent: text in Development, JSON elsewhere.</summary>
    public LogFormat? LogFormat { get; set; }

    /// <summary>A file that receives the log too; rolled by size.</summary>
    public string? LogFile { get; set; }

    [Range(1, 10_000)]
    public int LogFileMb { get; set; } = 32;

    /// <summary>How many rolled files are kept beside the current one.</summary>
    [Range(0, 1_000)]
    public int LogFilesKept { get; set; } = 4;

    /// <summary>From the signal to the exit, at the most.</summary>
    [Range(1, 3_600)]
    public int DrainSeconds { get; set; } = 30;

    [Range(1, 2_000)]
    public int MaxBodyMb { get; set; } = 32;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var url in InternalUrls.Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            if (UrlRule(url) is { } rule)
            {
                yield return new(rule, [nameof(InternalUrls)]);
            }
        }
        if (PublicUrl is not null && !(Uri.TryCreate(PublicUrl, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"))
        {
            yield return new("must be an address such as https://stoa.example.org", [nameof(PublicUrl)]);
        }
        for (var i = 0; i < KnownProxies.Count; i++)
        {
            if (!IPAddress.TryParse(KnownProxies[i], out _) && !IPNetwork.TryParse(KnownProxies[i], out _))
            {
                yield return new("must be an IP address or a network such as 10.0.0.0/8", [$"{nameof(KnownProxies)}:{i}"]);
            }
        }
        for (var i = 0; i < CorsOrigins.Count; i++)
        {
            // A wildcard with credentials would let every site act for the person who is signed in.
            if (!Uri.TryCreate(CorsOrigins[i], UriKind.Absolute, out var origin) || origin.Scheme is not ("http" or "https")
                || origin.PathAndQuery != "/" || CorsOrigins[i].EndsWith('/'))
            {
                yield return new("must be an origin such as https://app.example.org", [$"{nameof(CorsOrigins)}:{i}"]);
            }
        }
    }

    /// <summary>What is wrong with an address to listen on, or null.</summary>
    internal static string? UrlRule(string url)
    {
        BindingAddress address;
        try
        {
            address = BindingAddress.Parse(url.Trim());
        }
        catch (FormatException)
        {
            return "must be addresses such as http://127.0.0.1:8080, with semicolons between them";
        }
        return address switch
        {
            { Scheme: not "http" } => "must be http: TLS ends in a proxy before the host",
            { PathBase: not "" } => "must have no path",
            { IsNamedPipe: true } => "must not be a named pipe",
            _ => null,
        };
    }
}
