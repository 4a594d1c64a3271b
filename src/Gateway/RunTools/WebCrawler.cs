using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Runs;

namespace Stoa.Gateway.RunTools;

/// <summary>Reads pages of the web by the operator's scraping service, in Firecrawl's words: this host asks no page itself.</summary>
internal sealed class WebCrawler(IHttpClientFactory clients, IOptions<GatewayOptions> options, TimeProvider time)
{
    public const string Client = "gateway.crawler";
    public const long MaxBytes = 4 << 20;

    public const string ToolName = "Gtwy_Web_Search";

    private const int MostFormats = 8;

    private static readonly ToolOutcome Missing = ToolOutcome.Failed("web_crawling tool is not configured");

    /// <param name="arguments"><c>{url, formats}</c></param>
    public async Task<ToolOutcome> ReadAsync(JsonObject arguments, Run run, CancellationToken ct)
    {
        if (options.Value.Crawler.ApiKey is not { Length: > 0 } key)
        {
            return Missing;
        }
        if (!Uri.TryCreate(arguments.Text("url"), UriKind.Absolute, out var page) || page.Scheme is not ("http" or "https"))
        {
            return ToolOutcome.Failed("url must be an http(s) address");
        }
        var domains = ((run.Plan.Configured("gtwy_web_search_filters") ?? run.Plan.Stored("gtwy_web_search_filters")) as JsonArray)
            .Texts().Where(domain => domain.Length > 0).ToList();
        if (domains.Count > 0 && !domains.Exists(domain => IsOf(page.Host, domain)))
        {
            return ToolOutcome.Failed($"url must be of {string.Join(", ", domains)}");
        }
        try
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(options.Value.Timeouts.ToolMs), time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
            return await AskAsync(key, page, arguments.List("formats"), either.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return ToolOutcome.Failed("the page was not read in time");
        }
        catch (HttpRequestException)
        {
            return ToolOutcome.Failed("the page could not be read");
        }
    }

    private async Task<ToolOutcome> AskAsync(string key, Uri page, JsonArray? formats, CancellationToken ct)
    {
        string[] wanted = [.. formats.Texts().Take(MostFormats)];
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{options.Value.Crawler.Url}/v2/scrape")
        {
            Content = JsonContent.Create(
                new JsonObject
                {
                    ["url"] = page.AbsoluteUri,
                    ["formats"] = new JsonArray([.. (wanted.Length > 0 ? wanted : ["markdown"]).Select(format => (JsonNode)format)]),
                },
                GatewayJson.Default.JsonObject),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var response = await clients.CreateClient(Client).SendAsync(request, ct);
        var answer = JsonFields.TryParse(await response.Content.ReadAsByteArrayAsync(ct), out var json) ? json as JsonObject : null;
        var metadata = new JsonObject { ["type"] = "function", ["http_status"] = (int)response.StatusCode };
        return response.IsSuccessStatusCode && answer?["data"] is { } data
            ? new(data.DeepClone(), IsError: false, metadata)
            : new(Redaction.Clean(answer.Name("error") ?? $"the page could not be read: status {(int)response.StatusCode}"),
                IsError: true, metadata);
    }

    private static bool IsOf(string host, string domain) =>
        host.Equals(domain, StringComparison.OrdinalIgnoreCase) || host.EndsWith("." + domain, StringComparison.OrdinalIgnoreCase);
}

/// <summary>The same as a tool of a model.</summary>
internal sealed class CrawlerTool(string name, WebCrawler crawler) : RunTool(name, "Reads a page of the web", SchemaOf())
{
    public override Task<ToolOutcome> CallAsync(JsonObject arguments, Run run, CancellationToken ct) =>
        crawler.ReadAsync(arguments, run, ct);

    private static JsonObject SchemaOf() => new()
    {
        ["type"] = "object",
        ["properties"] = new JsonObject
        {
            ["url"] = new JsonObject { ["type"] = "string" },
            ["formats"] = new JsonObject { ["type"] = "array", ["items"] = new JsonObject { ["type"] = "string" } },
        },
        ["required"] = new JsonArray("url"),
    };
}
