using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Stoa.Tests.Assistants.Documents;

/// <summary>A website on loopback, whose pages may be anything.</summary>
internal sealed class FakeWebsite : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentDictionary<string, RequestDelegate> pages = new(StringComparer.Ordinal);

    private FakeWebsite(WebApplication app) => this.app = app;

    public string Address => app.Urls.First();

    /// <summary>Paths that were asked for, in their order.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    public static async Task<FakeWebsite> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var site = new FakeWebsite(builder.Build());
        site.app.Run(site.AnswerAsync);
        await site.app.StartAsync(TestContext.Current.CancellationToken);
        return site;
    }

    public void Page(string path, string html, string? type = null) => Page(path, async context =>
    {
        context.Response.ContentType = type ?? "text/html; charset=utf-8";
        await context.Response.WriteAsync(html, context.RequestAborted);
    });

    public void Page(string path, RequestDelegate answer) => pages[path] = answer;

    public void Remove(string path) => pages.TryRemove(path, out _);

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        Asked.Enqueue(path);
        if (pages.TryGetValue(path, out var answer))
        {
            return answer(context);
        }
        context.Response.StatusCode = 404;
        return Task.CompletedTask;
    }
}
