using Stoa.Gateway.Chat;
using Stoa.Gateway.Dialects;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Runs.Requests;

/// <summary>
/// What the user says now: his text, the pictures, files, recordings and videos that he sent with it, and what he uploaded for it before.
/// </summary>
internal static class UserTurn
{
    private static readonly string[] YouTubeHosts = ["youtube.com", "youtu.be", "youtube-nocookie.com"];

    /// <exception cref="Failure">Invalid: an attachment is none, or the model cannot take it.</exception>
    public static Turn Of(Run run)
    {
        List<Part> parts = [.. run.ThreadFiles.Select(file => new Part.File(new Media.Url(file) { IsOptional = true }))];
        var capabilities = run.Choice.Document.ValidationConfig;
        foreach (var image in run.Input.Images)
        {
            if (capabilities.Member("vision").ValueKind == System.Text.Json.JsonValueKind.False)
            {
                throw Failure.Invalid("model does not support vision", "images", "unsupported_media");
            }
            parts.Add(new Part.Image(Media(image, "images", isImage: true)));
        }
        foreach (var file in run.Input.Files)
        {
            parts.Add(new Part.File(Media(file, "files", isImage: false)));
        }
        foreach (var sound in run.Input.Audios)
        {
            parts.Add(Sound(sound));
        }
        parts.AddRange(VideosOf(run.Input));
        if (run.User.Length > 0 || parts.Count == 0)
        {
            parts.Add(new Part.Text(run.User));
        }
        return new(TurnRole.User, parts);
    }

    private static Part Sound(string address)
    {
        var place = PlaceOf(address, "user_urls");
        if (!IsInline(address))
        {
            return MediaReading.FromAddress(place) is Media.Url url ? new Part.Recording(url.Address) : throw place.Wrong("is no sound");
        }
        var bytes = MediaReading.FromDataUri(place, address);
        return MediaReading.SoundFrom(bytes.MimeType, Convert.FromBase64String(bytes.Base64))
            ?? throw place.Wrong($"is '{bytes.MimeType}', not a sound");
    }

    private static IEnumerable<Part> VideosOf(RunInput input)
    {
        if (input.VideoFile is { } file)
        {
            var uri = PlaceOf(file.Name("uri") ?? file.Name("file_uri") ?? "", "video_data.uri");
            yield return new Part.Video(MediaReading.FromAddress(uri), file.Name("mime_type"));
        }
        if (input.YouTube is { } page)
        {
            var place = PlaceOf(page, "youtube_url");
            yield return IsYouTube(page) ? new Part.Video(MediaReading.FromAddress(place))
                : throw place.Wrong("must be the address of a video on YouTube");
        }
        foreach (var video in input.Videos)
        {
            var place = PlaceOf(video, "user_urls");
            if (!IsInline(video))
            {
                var media = MediaReading.FromAddress(place);
                yield return new Part.Video(media, MediaReading.VideoTypeOf(new Uri(video).AbsolutePath));
                continue;
            }
            var bytes = MediaReading.FromDataUri(place, video);
            yield return bytes.MimeType.StartsWith("video/", StringComparison.Ordinal)
                ? new Part.Video(bytes, bytes.MimeType)
                : throw place.Wrong($"is '{bytes.MimeType}', not a video");
        }
    }

    private static bool IsYouTube(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme is "https" or "http"
        && Array.Exists(YouTubeHosts, host => uri.Host == host || uri.Host.EndsWith("." + host, StringComparison.Ordinal));

    private static bool IsInline(string address) => address.StartsWith("data:", StringComparison.OrdinalIgnoreCase);

    private static Node PlaceOf(string value, string field) =>
        new(System.Text.Json.JsonSerializer.SerializeToElement(value, GatewayJson.Default.String), name: field);

    private static Media Media(string address, string field, bool isImage)
    {
        var place = PlaceOf(address, field);
        return isImage ? MediaReading.ImageFrom(place)
            : IsInline(address) ? MediaReading.FromDataUri(place, address)
            : MediaReading.FromAddress(place);
    }
}
