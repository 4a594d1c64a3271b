using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Gateway.Delivery;
using Stoa.Platform.Identity;
using Stoa.Tests.Platform.Egress;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Delivery;

public sealed class PushTests(SharedDelivery shared) : IClassFixture<SharedDelivery>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_socket_hears_what_is_published_to_the_channels_it_has_joined()
    {
        var site = await shared.FreshAsync();
        using var socket = await JoinAsync(site, "one", "two");

        await PublishAsync(site, "two", "\"Hello\"", ttl: 0);
        await PublishAsync(site, "three", "\"Nobody hears this\"", ttl: 0);
        await PublishAsync(site, "one", "\"Good bye\"", ttl: 0);

        Assert.Equal(("two", "\"Hello\""), await HearAsync(socket));
        Assert.Equal(("one", "\"Good bye\""), await HearAsync(socket));
    }

    [Fact]
    public async Task The_last_message_of_a_channel_is_told_to_whoever_joins_within_its_time()
    {
        var site = await shared.FreshAsync();
        using var witness = await JoinAsync(site, "kept", "gone");
        await PublishAsync(site, "kept", "\"First\"", ttl: 3_600);
        await PublishAsync(site, "kept", "\"Last\"", ttl: 3_600);
        await PublishAsync(site, "gone", "\"Over\"", ttl: 3_600);
        // What was published just before somebody joins may still be on its way.
        for (var message = 0; message < 3; message++)
        {
            await HearAsync(witness);
        }
        await site.ExecuteAsync("update gateway.push_messages set created_at = now() - interval '3601 seconds' where channel = 'gone'");

        using var socket = await JoinAsync(site, "gone", "kept");

        Assert.Equal(("kept", "\"Last\""), await HearAsync(socket));
    }

    [Fact]
    public async Task A_message_too_long_for_a_notification_arrives_whole()
    {
        var site = await shared.FreshAsync();
        using var socket = await JoinAsync(site, "long");
        var text = new JsonObject { ["text"] = string.Concat(Enumerable.Repeat("ünï", 10_000)) }.ToJsonString();

        await PublishAsync(site, "long", text, ttl: 0);

        Assert.Equal(("long", text), await HearAsync(socket));
    }

    [Fact]
    public async Task A_channel_of_the_same_name_in_another_organization_is_another_channel()
    {
        var site = await shared.FreshAsync();
        var keys = site.Host.Services.GetRequiredService<KeyStore>();
        var other = await keys.EnsureOrganizationAsync("other", "test", Ct);
        var key = await keys.CreateAsync(other.Id, new("key"), "test", Ct);
        await site.Host.Services.GetRequiredService<KeyRingSync>().ReloadAsync(Ct);
        using var stranger = await JoinAsAsync(site, key.Token, "shared");
        var push = site.Host.Services.GetRequiredService<PushPublisher>();

        await PublishAsync(site, "shared", "\"Not for you\"", ttl: 3_600);
        await push.PublishAsync(other.Id, "shared", "\"For you\"", 0, null, Ct);

        Assert.Equal(("shared", "\"For you\""), await HearAsync(stranger));
    }

    [Fact]
    public async Task A_stream_repeats_the_last_message_and_goes_on()
    {
        var site = await shared.FreshAsync();
        await PublishAsync(site, "stream", "{\"n\":1}", ttl: 3_600);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/api/stream/stream", UriKind.Relative));
        using var response = await site.Host.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(Ct));

        var first = await DataAsync(lines);
        await PublishAsync(site, "stream", "{\"n\":2}", ttl: 3_600);
        var second = await DataAsync(lines);

        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(("{\"n\":1}", "{\"n\":2}"), (first, second));
    }

    [Fact]
    public async Task Nobody_listens_or_publishes_without_a_credential()
    {
        var site = await shared.FreshAsync();
        using var nobody = new HttpClient { BaseAddress = site.Host.Client.BaseAddress };

        using var stream = await nobody.GetAsync(new Uri("/api/stream/x?token=stoa_wrong", UriKind.Relative), Ct);
        using var publish = await nobody.PostAsJsonAsync("/rtlayer/message", new { channel = "x", message = "y" }, Ct);
        var refused = await Assert.ThrowsAsync<WebSocketException>(() => JoinAsAsync(site, "wrong", "x"));

        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), (stream.StatusCode, publish.StatusCode));
        Assert.Contains("401", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_foreign_push_service_is_sent_messages_in_its_own_form()
    {
        var got = new TaskCompletionSource<(string Query, string Body)>();
        await using var service = await LoopbackSite.StartAsync(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            got.TrySetResult((context.Request.Path + context.Request.QueryString.ToString(), await reader.ReadToEndAsync(Ct)));
        });
        await using var site = await DeliverySite.StartAsync(new()
        {
            ["Gateway:PushMode"] = "rtlayer", ["Gateway:Push:Url"] = service.Url.ToString(), ["Gateway:Push:ApiKey"] = "own",
        });

        await site.Host.Services.GetRequiredService<RunDelivery>().DeliverAsync(
            Organization.DefaultId,
            new() { ["type"] = "RTLayer", ["cred"] = new JsonObject { ["channel"] = "c", ["ttl"] = 5, ["apikey"] = "of the request" } },
            new() { ["response"] = new JsonObject(), ["success"] = true, ["variables"] = new JsonObject() }, "message-1", Ct);
        await site.Host.RunJobsAsync();

        var (query, body) = await got.Task.WaitAsync(Ct);
        Assert.Equal("/message?apiKey=of%20the%20request", query);
        Assert.True(JsonNode.DeepEquals(
            JsonNode.Parse("""{"channel":"c","ttl":5,"apikey":"of the request","message":"{\"response\":{},\"success\":true}"}"""),
            JsonNode.Parse(body)), body);
    }

    private static async Task PublishAsync(DeliverySite site, string channel, string message, int ttl)
    {
        using var answer = await site.Host.Client.PostAsJsonAsync("/rtlayer/message?apiKey=ignored", new { channel, message, ttl }, Ct);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    private static Task<ClientWebSocket> JoinAsync(DeliverySite site, params string[] channels) =>
        JoinAsAsync(site, HostProcess.DevelopmentKey, channels);

    private static async Task<ClientWebSocket> JoinAsAsync(DeliverySite site, string token, params string[] channels)
    {
        var socket = new ClientWebSocket();
        var address = new UriBuilder(
            site.Host.Client.BaseAddress!) { Scheme = "ws", Path = "/rtlayer/account/service/", Query = $"token={token}" }.Uri;
        await socket.ConnectAsync(address, Ct);
        foreach (var channel in channels)
        {
            var frame = new JsonObject { ["action"] = "join", ["id"] = channel }.ToJsonString();
            await socket.SendAsync(Encoding.UTF8.GetBytes(frame), WebSocketMessageType.Text, endOfMessage: true, Ct);
        }
        var hub = site.Host.Services.GetRequiredService<PushHub>();
        await Patience.UntilAsync(() => channels.All(hub.HasListeners));
        return socket;
    }

    private static async Task<(string, string)> HearAsync(ClientWebSocket socket)
    {
        using var text = new MemoryStream();
        var buffer = new byte[4096];
        WebSocketReceiveResult part;
        do
        {
            part = await socket.ReceiveAsync(buffer, Ct);
            text.Write(buffer, 0, part.Count);
        }
        while (!part.EndOfMessage);
        var frame = JsonNode.Parse(text.ToArray())!;
        return ((string)frame["channel"]!, (string)frame["message"]!);
    }

    private static async Task<string> DataAsync(StreamReader lines)
    {
        while (await lines.ReadLineAsync(Ct) is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                return line["data: ".Length..];
            }
        }
        throw new EndOfStreamException();
    }
}
