using System.Net;

namespace Stoa.Bench.Roles;

/// <summary>
/// The reference: the proxy anyone would write first with ASP.NET Core and HttpClient, on default settings. It checks one
/// bearer key and relays; it counts, limits and logs nothing.
/// </summary>
internal static class PlainProxy
{
    internal const string Key = "bench-key";

    internal static async Task RunAsync(Arguments arguments)
    {
        var upstream = new Uri(arguments.Text("upstream", "http://127.0.0.1:1"));
        using var client = new HttpClient { BaseAddress = upstream, Timeout = Timeout.InfiniteTimeSpan };
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(server => server.Listen(IPAddress.Loopback, arguments.Number("port", 0)));
        var app = builder.Build();
        app.Run(context => RelayAsync(context, client));
        await app.RunAsync();
    }

    private static async Task RelayAsync(HttpContext context, HttpClient client)
    {
        if (HttpMethods.IsGet(context.Request.Method))
        {
            await context.Response.WriteAsync("ready", context.RequestAborted);
            return;
        }
        if (context.Request.Headers.Authorization != $"Bearer {Key}")
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }
        using var request = new HttpRequestMessage(HttpMethod.Post, context.Request.Path.Value)
        {
            Content = new StreamContent(context.Request.Body),
        };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", context.Request.ContentType);
        request.Content.Headers.ContentLength = context.Request.ContentLength;
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer upstream-key");
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, context.RequestAborted);
        context.Response.StatusCode = (int)answer.StatusCode;
        context.Response.ContentType = answer.Content.Headers.ContentType?.ToString();
        context.Response.ContentLength = answer.Content.Headers.ContentLength;
        await answer.Content.CopyToAsync(context.Response.Body, context.RequestAborted);
    }
}
