using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Runs;
using Stoa.Platform.Egress;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Uploads;

/// <summary>Videos for Gemini, out of a form or from an address of the web.</summary>
internal sealed class VideoUploads(GeminiFiles gemini, GuardedClient web) : IDisposable
{
    private const int MaxKey = 4_096;
    private const int MaxName = 255;

    private static readonly TimeSpan LongestQueue = TimeSpan.FromSeconds(10);

    /// <summary>Those that are fetched are in memory meanwhile.</summary>
    private readonly SemaphoreSlim fetching = new(4);

    /// <summary>Null for what is no video.</summary>
    public static string? TypeOf(IFormFile file) => MediaReading.VideoTypeOf(file.FileName) ?? KindOf(file.ContentType);

    public async Task<JsonObject> SendAsync(IFormFile file, string type, string? apiKey, CancellationToken ct)
    {
        var key = Key(apiKey, "apikey");
        if (file.Length > PublicFiles.MaxBytes)
        {
            throw TooLarge();
        }
        await using var content = file.OpenReadStream();
        return Answer(await gemini.UploadAsync(key, NameOf(file.FileName), type, content, file.Length, ct));
    }

    /// <param name="body"><c>{video_url, api_key}</c></param>
    /// <exception cref="Failure">Invalid: the address may not be read or holds no video, or something is missing.</exception>
    public async Task<JsonObject> FetchAsync(JsonObject body, CancellationToken ct)
    {
        var address = body.Name("video_url") ?? throw Failure.Invalid("file is required: a file in a form, or video_url", "video_url");
        var key = Key(body.Name("api_key") ?? body.Name("apikey"), "api_key");
        if (!await fetching.WaitAsync(LongestQueue, ct))
        {
            throw Failure.Unavailable("Other videos are being fetched", LongestQueue);
        }
        try
        {
            var (type, content) = await ReadAsync(address, ct);
            using var stream = new MemoryStream(content, writable: false);
            var answer = Answer(await gemini.UploadAsync(key, NameOf(new Uri(address).AbsolutePath), type, stream, content.Length, ct));
            answer["original_url"] = address;
            return answer;
        }
        finally
        {
            fetching.Release();
        }
    }

    public void Dispose() => fetching.Dispose();

    public static Failure TooLarge() => new(FailureKind.TooLarge, "too_large", $"A file may have at most {PublicFiles.MaxBytes >> 20} MB");

    private async Task<(string Type, byte[] Content)> ReadAsync(string address, CancellationToken ct)
    {
        GuardedResponse answer;
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            answer = await web.SendAsync(request, new(PublicFiles.MaxBytes, TimeSpan.FromMinutes(1)), ct);
        }
        catch (Exception unread) when (unread is Failure or UriFormatException)
        {
            throw Failure.Invalid($"video_url could not be read: {(unread is Failure ? unread.Message : "it is no address")}",
                "video_url", "unreadable_address");
        }
        var type = KindOf(answer.ContentHeaders.ContentType?.MediaType) ?? MediaReading.VideoTypeOf(answer.Address.AbsolutePath);
        return answer.Status == HttpStatusCode.OK && type is not null && !answer.Body.IsEmpty
            ? (type, answer.Body.ToArray())
            : throw Failure.Invalid("video_url holds no video", "video_url", "unreadable_address");
    }

    private static JsonObject Answer(JsonObject file) =>
        new() { ["success"] = true, ["file_data"] = file, ["message"] = "Video uploaded successfully" };

    private static string? KindOf(string? contentType) =>
        contentType?.Split(';')[0].Trim().ToLowerInvariant() is { } type
            && type.StartsWith("video/", StringComparison.Ordinal) && type.All(letter => letter is > ' ' and <= '~')
            ? type
            : null;

    private static string Key(string? key, string field) =>
        string.IsNullOrEmpty(key) ? throw Failure.Invalid($"{field} is required to upload a video", field)
        : key.Length <= MaxKey && key.All(letter => letter is > ' ' and <= '~') ? key
        : throw Failure.Invalid($"{field} is no key", field, "invalid_value");

    private static string NameOf(string path)
    {
        var name = string.Concat(Path.GetFileName(path).Where(letter => !char.IsControl(letter)));
        return name.Length switch { 0 => "video", > MaxName => name[..MaxName], _ => name };
    }
}
