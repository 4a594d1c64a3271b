using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform;
using Stoa.Platform.Http;
using Stoa.Tests.Support;

namespace Stoa.Tests.Host;

public sealed class OperationsTests(SharedHost shared) : IClassFixture<SharedHost>
{
    private readonly HostUnderTest host = shared.Host;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_living_host_answers_on_both_listeners()
    {
        Assert.Equal("ok", await host.Client.GetStringAsync("/healthz", Ct));
        Assert.Equal("ok", await host.Internal.GetStringAsync("/healthz", Ct));
    }

    [Theory]
    [InlineData("/healthz")]
    [InlineData("/readyz")]
    [InlineData("/")]
    public async Task A_probe_without_a_body_is_answered_like_one_with(string path)
    {
        using var probe = new HttpRequestMessage(HttpMethod.Head, path);

        var answer = await host.Client.SendAsync(probe, Ct);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("", await answer.Content.ReadAsStringAsync(Ct));
    }

    [Fact]
    public async Task A_host_is_ready_only_when_every_check_holds_and_says_what_is_missing()
    {
        var warm = new TaskCompletionSource();
        await using var own = await HostUnderTest.StartAsync(
            add: builder => builder.Services.AddReadiness("warmth", "still cold", _ => warm.Task), waitsUntilReady: false);

        var before = await own.Client.GetAsync("/readyz", Ct);
        var reasons = JsonNode.Parse(await before.Content.ReadAsStringAsync(Ct))!["problems"]!;
        warm.SetResult();
        await own.Services.GetRequiredService<Readiness>().WhenReady(Ct);
        var after = await own.Client.GetAsync("/readyz", Ct);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, before.StatusCode);
        Assert.Contains(reasons.AsArray(), reason => (string)reason!["check"]! == "warmth" && (string)reason["problem"]! == "still cold");
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
    }

    [Fact]
    public async Task Internal_routes_do_not_exist_on_the_public_listener_whatever_the_host_header_says()
    {
        using var disguised = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        disguised.Headers.Host = host.Internal.BaseAddress!.Authority;

        var answer = await host.Client.SendAsync(disguised, Ct);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await host.Internal.GetAsync("/metrics", Ct)).StatusCode);
    }

    [Fact]
    public async Task A_drain_refuses_new_connections_and_finishes_the_calls_under_way()
    {
        var entered = new TaskCompletionSource();
        var finish = new TaskCompletionSource();
        await using var own = await HostUnderTest.StartAsync(map: app => app.MapGet("/slow", async (HttpContext context) =>
        {
            await context.Response.WriteAsync("first ", Ct);
            await context.Response.Body.FlushAsync(Ct);
            entered.SetResult();
            await finish.Task;
            await context.Response.WriteAsync("last", Ct);
        }));
        var slow = own.Client.GetStringAsync("/slow", Ct);
        await entered.Task;

        var stopping = own.StopAsync();
        var ready = await WaitForAsync(() => own.Internal.GetAsync("/readyz", Ct), answer => answer.StatusCode != HttpStatusCode.OK);
        using var late = new TcpClient();
        var refused = await Assert.ThrowsAsync<SocketException>(
            () => late.ConnectAsync("127.0.0.1", own.Client.BaseAddress!.Port, Ct).AsTask());
        finish.SetResult();

        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
        Assert.Equal("first last", await slow);
        await stopping;
    }

    [Fact]
    public async Task A_call_that_outlasts_the_drain_gets_a_last_call_and_is_then_cut()
    {
        var entered = new TaskCompletionSource();
        var lastCall = new TaskCompletionSource();
        await using var own = await HostUnderTest.StartAsync(
            new() { ["Stoa:DrainSeconds"] = "1" },
            map: app => app.MapGet("/endless", async (HttpContext context, Drain drain) =>
            {
                await context.Response.Body.FlushAsync(Ct);
                entered.SetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, drain.LastCall)
                    .ContinueWith(_ => lastCall.SetResult(), TaskScheduler.Default);
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
            }));
        var endless = own.Client.GetStringAsync("/endless", Ct);
        await entered.Task;

        await own.StopAsync();

        await lastCall.Task.WaitAsync(Patience.Long, TimeProvider.System, Ct);
        await Assert.ThrowsAsync<HttpRequestException>(() => endless);
    }

    [Theory]
    [InlineData("gateway")]
    [InlineData("feedback")]
    [InlineData("learning")]
    [InlineData("assistants")]
    [InlineData("stoa")]
    public async Task Every_surface_has_a_document(string surface)
    {
        var document = JsonNode.Parse(await host.Client.GetStringAsync($"/openapi/{surface}.json", Ct))!;

        Assert.StartsWith("3.1", (string)document["openapi"]!, StringComparison.Ordinal);
        Assert.NotNull(document["paths"]);
    }

    [Theory]
    [InlineData("/files/", "image")]
    [InlineData("/image/processing/", "image")]
    [InlineData("/files/upload", "file", "video", "apikey", "agent_id", "thread_id", "sub_thread_id")]
    [InlineData("/image/processing/upload", "file", "video", "apikey", "agent_id", "thread_id", "sub_thread_id")]
    [InlineData("/v1/files", "file", "purpose", "expires_after[anchor]", "expires_after[seconds]")]
    [InlineData("/v1/audio/transcriptions", "file", "model", "language", "prompt", "response_format", "temperature")]
    public async Task The_gateways_document_says_which_forms_are_taken(string path, params string[] fields)
    {
        var document = JsonNode.Parse(await host.Client.GetStringAsync("/openapi/gateway.json", Ct))!;
        var body = (document["paths"]![path] ?? document["paths"]![path.TrimEnd('/')])!["post"]!["requestBody"]!["content"]!;

        var form = body["multipart/form-data"]!["schema"]!;
        Assert.Equal(fields, form["properties"]!.AsObject().Select(field => field.Key));
        Assert.Equal("binary", (string?)form["properties"]![fields[0]]!["format"]);
        Assert.Equal(path.EndsWith("/upload", StringComparison.Ordinal) ? "video_url" : null,
            (string?)body["application/json"]?["schema"]?["required"]?[0]);
    }

    [Fact]
    public async Task The_viewer_loads_nothing_from_elsewhere()
    {
        var page = await host.Client.GetStringAsync("/docs/index.html", Ct);
        var script = await host.Client.GetStringAsync("/docs/index.js", Ct);

        Assert.Contains("swagger-ui-bundle.js", page, StringComparison.Ordinal);
        Assert.DoesNotContain("//", page.Replace("<!--", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains("/openapi/learning.json", script, StringComparison.Ordinal);
    }

    private static async Task<T> WaitForAsync<T>(Func<Task<T>> look, Func<T, bool> isThere)
    {
        while (true)
        {
            var seen = await look();
            if (isThere(seen))
            {
                return seen;
            }
        }
    }
}
