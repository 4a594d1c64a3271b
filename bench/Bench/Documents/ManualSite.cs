using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Stoa.Bench.Documents;

/// <summary>The manual as a website on loopback.</summary>
internal sealed class ManualSite : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentDictionary<string, byte[]> pages;

    private ManualSite(WebApplication app, ConcurrentDictionary<string, byte[]> pages) => (this.app, this.pages) = (app, pages);

    internal int Count => pages.Count;

    internal string Address => $"{app.Urls.First()}/index.html";

    internal static async Task<ManualSite> StartAsync(string folder, bool hasEtags)
    {
        var pages = new ConcurrentDictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(folder, "*.html"))
        {
            pages[Path.GetFileName(file)] = await File.ReadAllBytesAsync(file);
        }
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.MapGet("/{name}", (HttpContext context, string name) =>
        {
            if (!pages.TryGetValue(name, out var page))
            {
                return Results.NotFound();
            }
            if (hasEtags)
            {
                var etag = string.Create(CultureInfo.InvariantCulture, $"\"{Convert.ToHexString(HashOf(page))}\"");
                context.Response.Headers.ETag = etag;
                if (context.Request.Headers.IfNoneMatch == etag)
                {
                    return Results.StatusCode(304);
                }
            }
            return Results.Bytes(page, "text/html; charset=utf-8");
        });
        await app.StartAsync();
        return new(app, pages);
    }

    internal void Edit(string page, Func<string, string> change) =>
        pages[page] = Encoding.UTF8.GetBytes(change(Encoding.UTF8.GetString(pages[page])));

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private static byte[] HashOf(byte[] page) => System.Security.Cryptography.SHA256.HashData(page);
}
