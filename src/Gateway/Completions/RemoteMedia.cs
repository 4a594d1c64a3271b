using System.Net;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Uploads;
using Stoa.Platform.Egress;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Completions;

/// <summary>Fetches what a request only names by its address, for providers that take content alone.</summary>
internal sealed class RemoteMedia(GuardedClient web, PublicFiles files, TimeProvider time)
{
    /// <summary>Of one request together: providers take no larger ones.</summary>
    private const int MaxBytes = 20 << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>With all addresses of a request: they are read one after the other.</summary>
    private static readonly TimeSpan Together = TimeSpan.FromMinutes(1);

    /// <summary>The same request when it names no addresses.</summary>
    /// <exception cref="Failure">An address is not allowed, cannot be read, or holds something else: the client's error.</exception>
    public ValueTask<ChatRequest> InlineAsync(ChatRequest request, CancellationToken ct) => InlineAsync(request, IsRemote, ct);

    /// <summary>
    /// For providers that read addresses: files that are kept here go as content where nobody knows that the world can reach this host.
    /// </summary>
    /// <param name="always">The provider takes documents as content alone.</param>
    /// <exception cref="Failure">As above.</exception>
    public ValueTask<ChatRequest> InlineOwnAsync(ChatRequest request, bool always, CancellationToken ct) => always || !files.AreReachable
        ? InlineAsync(request, IsOwn, ct)
        : new(request);

    private async ValueTask<ChatRequest> InlineAsync(ChatRequest request, Func<Part, bool> isMeant, CancellationToken ct)
    {
        if (!request.Turns.Any(turn => turn.Parts.Any(isMeant)))
        {
            return request;
        }
        var room = MaxBytes;
        var started = time.GetTimestamp();
        var turns = request.Turns.ToArray();
        // The newest first: where there is no room for all, what was shown before is left out.
        for (var place = turns.Length - 1; place >= 0; place--)
        {
            turns[place] = turns[place] with { Parts = await InlineAsync(turns[place].Parts) };
        }
        return request with { Turns = turns };

        async ValueTask<IReadOnlyList<Part>> InlineAsync(IReadOnlyList<Part> parts)
        {
            var inlined = new List<Part>(parts.Count);
            foreach (var part in parts.Reverse())
            {
                try
                {
                    inlined.Add(part switch
                    {
                        _ when !isMeant(part) => part,
                        Part.Image { Media: Media.Url url } image => image with { Media = await FetchAsync(url.Address, isImage: true) },
                        Part.File { Media: Media.Url url } file => file with { Media = await FetchAsync(url.Address, isImage: false) },
                        Part.Recording recording => await ListenAsync(recording.Address),
                        Part.ToolResult result => result with { Parts = await InlineAsync(result.Parts) },
                        _ => part,
                    });
                }
                catch (Failure) when (part
                    is Part.Image { Media: Media.Url { IsOptional: true } } or Part.File { Media: Media.Url { IsOptional: true } })
                {
                    // Gone, or too large beside the others.
                }
            }
            inlined.Reverse();
            return inlined;
        }

        async Task<Media> FetchAsync(string address, bool isImage)
        {
            var (type, body) = await DownloadAsync(address);
            return MediaReading.FromDownload(type, body.Span, isImage)
                ?? throw Wrong($"holds no {(isImage ? "picture" : "document")} that can be sent to this provider");
        }

        async Task<Part> ListenAsync(string address)
        {
            var (type, body) = await DownloadAsync(address);
            return MediaReading.SoundFrom(type, body.Span) ?? throw Wrong("holds no sound that can be sent to a provider");
        }

        async Task<(string? Type, ReadOnlyMemory<byte> Body)> DownloadAsync(string address)
        {
            var left = Together - time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero)
            {
                throw Wrong("was not read, as those before it took too long");
            }
            var (type, body) = await OwnAsync(address, room, ct)
                ?? await ReadAsync(address, new(room, left < Patience ? left : Patience), ct);
            room -= body.Length;
            return (type, body);
        }
    }

    private bool IsOwn(Part part) => part switch
    {
        Part.File { Media: Media.Url url } => files.IsOwn(url.Address),
        Part.Image { Media: Media.Url url } => !files.AreReachable && files.IsOwn(url.Address),
        _ => false,
    };

    private static bool IsRemote(Part part) => part switch
    {
        Part.Image { Media: Media.Url } or Part.File { Media: Media.Url } or Part.Recording => true,
        Part.ToolResult result => result.Parts.Any(IsRemote),
        _ => false,
    };

    private async Task<(string? Type, ReadOnlyMemory<byte> Body)> ReadAsync(string address, GuardedLimits limits, CancellationToken ct)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            var answer = await web.SendAsync(request, limits, ct);
            return answer.Status == HttpStatusCode.OK
                ? (answer.ContentHeaders.ContentType?.MediaType, answer.Body)
                : throw Wrong($"was answered with status {(int)answer.Status}");
        }
        catch (Failure failure) when (failure.Kind != FailureKind.Invalid)
        {
            throw Wrong($"could not be read: {failure.Message.TrimEnd('.')}");
        }
    }

    /// <summary>Out of the storage, without a way around over the network; null for what is not kept here.</summary>
    private async Task<(string? Type, ReadOnlyMemory<byte> Body)?> OwnAsync(string address, int room, CancellationToken ct)
    {
        if (await files.OpenAsync(address, ct) is not var (content, type))
        {
            return null;
        }
        await using var source = content;
        using var body = new MemoryStream();
        var buffer = new byte[64 << 10];
        while (await source.ReadAsync(buffer, ct) is var read and > 0)
        {
            if (body.Length + read > room)
            {
                throw Wrong("could not be read: what it holds is too large");
            }
            body.Write(buffer, 0, read);
        }
        return (type, body.GetBuffer().AsMemory(0, (int)body.Length));
    }

    private static Failure Wrong(string problem) =>
        Failure.Invalid($"An address in the messages {problem}.", "messages", "unreadable_address");
}
