using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Dialects.Gemini;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Uploads;

/// <summary>
/// Takes videos to Gemini's Files API, where models watch them for two days: the upload is opened, sent in one piece, and looked at until
/// Gemini has read it. The address is the operator's or the public one.
/// </summary>
internal sealed class GeminiFiles(IHttpClientFactory clients, ServiceRegistry services, TimeProvider time)
{
    public const string Client = "gateway.gemini_files";

    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private const string Active = "ACTIVE";
    private const string Failed = "FAILED";

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(8);

    /// <returns>The file in the words of GTWY's wire, ready to be asked about.</returns>
    /// <exception cref="Failure">Invalid: Gemini refuses it or the key. Timeout: it is not ready in time. Internal: Gemini cannot read
    /// it.</exception>
    public async Task<JsonObject> UploadAsync(string apiKey, string name, string type, Stream content, long length, CancellationToken ct)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
        try
        {
            var place = await OpenAsync(apiKey, name, type, length, either.Token);
            var file = (await SendAsync(place, apiKey, content, length, either.Token)).Member("file").Clone();
            for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
            {
                switch (file.TextOf("state"))
                {
                    case Active:
                        return Show(file);
                    case Failed:
                        throw new Failure(FailureKind.Internal, "video_failed", "Gemini could not process the video");
                }
                await Task.Delay(pause, time, either.Token);
                using var look = Request(HttpMethod.Get, AddressOf($"/v1beta/{NameOf(file)}"), apiKey);
                file = await AnswerAsync(look, either.Token);
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new Failure(FailureKind.Timeout, "video_timeout", "Gemini did not finish processing the video in time");
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException)
        {
            throw new Failure(FailureKind.Upstream, "upstream_connection", "Gemini could not be reached or broke off");
        }
    }

    /// <returns>Where the bytes go: an address of the same server, or the key would go elsewhere.</returns>
    private async Task<Uri> OpenAsync(string apiKey, string name, string type, long length, CancellationToken ct)
    {
        var address = AddressOf("/upload/v1beta/files");
        using var request = Request(HttpMethod.Post, address, apiKey);
        request.Headers.Add("X-Goog-Upload-Protocol", "resumable");
        request.Headers.Add("X-Goog-Upload-Command", "start");
        request.Headers.Add("X-Goog-Upload-Header-Content-Length", length.ToString(CultureInfo.InvariantCulture));
        request.Headers.TryAddWithoutValidation("X-Goog-Upload-Header-Content-Type", type);
        request.Content = JsonContent.Create(
            new JsonObject { ["file"] = new JsonObject { ["display_name"] = name } }, GatewayJson.Default.JsonObject);
        using var response = await clients.CreateClient(Client).SendAsync(request, ct);
        await CheckAsync(response, ct);
        return response.Headers.TryGetValues("X-Goog-Upload-URL", out var values)
            && Uri.TryCreate(values.First(), UriKind.Absolute, out var place)
            && Uri.Compare(place, address, UriComponents.SchemeAndServer, UriFormat.SafeUnescaped, StringComparison.OrdinalIgnoreCase) == 0
                ? place
                : throw ProviderRefusals.Unreadable("it has no address for the upload");
    }

    private async Task<JsonElement> SendAsync(Uri place, string apiKey, Stream content, long length, CancellationToken ct)
    {
        using var request = Request(HttpMethod.Post, place, apiKey);
        request.Headers.Add("X-Goog-Upload-Offset", "0");
        request.Headers.Add("X-Goog-Upload-Command", "upload, finalize");
        request.Content = new StreamContent(content);
        request.Content.Headers.ContentLength = length;
        return await AnswerAsync(request, ct);
    }

    private async Task<JsonElement> AnswerAsync(HttpRequestMessage request, CancellationToken ct)
    {
        using var response = await clients.CreateClient(Client).SendAsync(request, ct);
        await CheckAsync(response, ct);
        using var document = JsonBody.OpenAnswer(await response.Content.ReadAsByteArrayAsync(ct));
        return document.RootElement.Clone();
    }

    private async Task CheckAsync(HttpResponseMessage response, CancellationToken ct)
    {
        if (response.IsSuccessStatusCode)
        {
            return;
        }
        var refusal =
            GeminiErrors.Read(new((int)response.StatusCode, Now: time.GetUtcNow()), await response.Content.ReadAsByteArrayAsync(ct));
        // Whose key it is that Gemini does not know is the caller's affair: he is not the one who is not signed in.
        throw refusal.Kind is FailureKind.Upstream or FailureKind.Overloaded or FailureKind.TooMany or FailureKind.Unavailable ? refusal
            : Failure.Invalid($"Gemini refused the video: {refusal.Message}", "video", "upload_refused");
    }

    private static HttpRequestMessage Request(HttpMethod method, Uri address, string apiKey)
    {
        var request = new HttpRequestMessage(method, address);
        request.Headers.TryAddWithoutValidation("x-goog-api-key", apiKey);
        return request;
    }

    private Uri AddressOf(string path) => new(services.Find("gemini")!.BaseUrl + path);

    private static string NameOf(JsonElement file) =>
        file.TextOf("name") is { } name && name.StartsWith("files/", StringComparison.Ordinal)
            && name["files/".Length..].All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '-')
            ? name
            : throw ProviderRefusals.Unreadable("it has no name of a file");

    private static JsonObject Show(JsonElement file)
    {
        var duration = file.Member("videoMetadata").TextOf("videoDuration");
        return new()
        {
            ["name"] = file.TextOf("name"),
            ["display_name"] = file.TextOf("displayName"),
            ["mime_type"] = file.TextOf("mimeType"),
            ["size_bytes"] = long.TryParse(file.TextOf("sizeBytes"), NumberStyles.None, CultureInfo.InvariantCulture, out var size)
            ? size : null,
            ["create_time"] = file.TextOf("createTime"),
            ["expiration_time"] = file.TextOf("expirationTime"),
            ["update_time"] = file.TextOf("updateTime"),
            ["sha256_hash"] = file.TextOf("sha256Hash"),
            ["uri"] = file.TextOf("uri"),
            ["download_uri"] = file.TextOf("downloadUri"),
            ["state"] = file.TextOf("state"),
            ["source"] = file.TextOf("source"),
            ["video_metadata"] = duration is null ? null : new JsonObject { ["video_duration"] = duration },
            ["error"] = null,
        };
    }
}
