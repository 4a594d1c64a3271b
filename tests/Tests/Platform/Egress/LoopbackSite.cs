using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Stoa.Tests.Platform.Egress;

/// <summary>A site on a free loopback port that counts who comes.</summary>
internal sealed class LoopbackSite : IAsyncDisposable
{
    private readonly WebApplication app;
    private int hits;

    private LoopbackSite(WebApplication app) => this.app = app;

    public int Hits => Volatile.Read(ref hits);

    public Uri Url => new(app.Urls.First());

    public int Port => Url.Port;

    public static async Task<LoopbackSite> StartAsync(RequestDelegate answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var built = builder.Build();
        var site = new LoopbackSite(built);
        built.Run(context =>
        {
            Interlocked.Increment(ref site.hits);
            return answer(context);
        });
        await built.StartAsync(TestContext.Current.CancellationToken);
        return site;
    }

    /// <summary>Answers nothing more until the client leaves.</summary>
    public static async Task UntilGone(HttpContext context) =>
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    public ValueTask DisposeAsync() => app.DisposeAsync();
}
