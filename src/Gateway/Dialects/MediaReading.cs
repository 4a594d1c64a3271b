using System.Text;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects;

/// <summary>Images and files as clients send them: addresses, data URIs, bare base64.</summary>
internal static class MediaReading
{
    public const int MaxImages = 100;

    private const int MaxImageBytes = 20 * 1024 * 1024;

    /// <summary>The value of <c>image_url.url</c> and its kin.</summary>
    public static Media ImageFrom(Node url)
    {
        var address = url.Text();
        return address.StartsWith("data:", StringComparison.OrdinalIgnoreCase) ? Image(FromDataUri(url, address), url) : FromAddress(url);
    }

    public static Media FromAddress(Node url)
    {
        var address = url.Text();
        return Uri.TryCreate(address, UriKind.Absolute, out var uri)
            && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps)
            ? new Media.Url(address)
            : throw url.Wrong("must be an http(s) address or a data URI");
    }

    public static Media.Bytes FromDataUri(Node place, string uri)
    {
        var comma = uri.IndexOf(',', StringComparison.Ordinal);
        if (!uri.StartsWith("data:", StringComparison.OrdinalIgnoreCase) || comma < 0)
        {
            throw place.Wrong("is not a data URI");
        }
        var head = uri[5..comma];
        var isBase64 = head.EndsWith(";base64", StringComparison.OrdinalIgnoreCase);
        var mimeType = head.Split(';', 2)[0].Trim().ToLowerInvariant();
        return new(
            mimeType.Length > 0 ? mimeType : "text/plain",
            isBase64 ? Base64(place, uri[(comma + 1)..])
            : Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(uri[(comma + 1)..]))));
    }

    public static Media.Bytes Image(Media.Bytes bytes, Node place)
    {
        if (!bytes.MimeType.StartsWith("image/", StringComparison.Ordinal))
        {
            throw place.Wrong($"is '{bytes.MimeType}', not an image");
        }
        if (bytes.Base64.Length / 4 * 3L > MaxImageBytes + 3)
        {
            throw place.Wrong("is larger than 20 MB");
        }
        return Sniff(bytes.Base64) is { } seen ? bytes with { MimeType = seen }
            : bytes with { MimeType = bytes.MimeType == "image/jpg" ? "image/jpeg" : bytes.MimeType };
    }

    /// <summary>Checked, and without the line breaks that some encoders put in.</summary>
    public static string Base64(Node place, string text)
    {
        if (!System.Buffers.Text.Base64.IsValid(text, out var length) || length == 0)
        {
            throw place.Wrong("is not valid base64");
        }
        return text.AsSpan().ContainsAny(" \t\r\n") ? string.Concat(text.Where(letter => !char.IsWhiteSpace(letter))) : text;
    }

    /// <summary>What an address held; null when that cannot be used. The first bytes count before the header.</summary>
    public static Media? FromDownload(string? contentType, ReadOnlySpan<byte> body, bool isImage)
    {
        var base64 = Convert.ToBase64String(body);
        if (isImage)
        {
            return Sniff(base64) is { } seen ? new Media.Bytes(seen, base64) : null;
        }
        if (body.StartsWith("%PDF-"u8))
        {
            return new Media.Bytes("application/pdf", base64);
        }
        return contentType is not null && IsText(contentType) ? new Media.PlainText(Encoding.UTF8.GetString(body)) : null;
    }

    /// <summary>What an address or a data URI held, by its first bytes before its type; null when it is no sound.</summary>
    public static Part.Audio? SoundFrom(string? contentType, ReadOnlySpan<byte> body)
    {
        var format = body switch
        {
            _ when body.StartsWith("RIFF"u8) && body.Length > 12 && body[8..].StartsWith("WAVE"u8) => "wav",
            _ when body.StartsWith("ID3"u8) || (body.Length > 1 && body[0] == 0xFF && (body[1] & 0xE6) == 0xE2) => "mp3",
            _ when body.StartsWith("OggS"u8) => "ogg",
            _ when body.StartsWith("fLaC"u8) => "flac",
            _ when contentType?.StartsWith("audio/", StringComparison.OrdinalIgnoreCase) != true || body.IsEmpty => null,
            _ => contentType[6..].ToLowerInvariant() switch
            {
                "mpeg" or "mp3" => "mp3",
                "wav" or "x-wav" or "wave" or "vnd.wave" => "wav",
                var other => other.All(char.IsAsciiLetterOrDigit) ? other : null,
            },
        };
        return format is null ? null : new(Convert.ToBase64String(body), format);
    }

    /// <summary>By the end of an address or the name of a file; null when it is no known kind of video.</summary>
    public static string? VideoTypeOf(string name) => Path.GetExtension(name).ToLowerInvariant() switch
    {
        ".mp4" => "video/mp4",
        ".mov" or ".qt" => "video/quicktime",
        ".avi" => "video/x-msvideo",
        ".webm" => "video/webm",
        ".mkv" => "video/x-matroska",
        _ => null,
    };

    public static string DecodeText(Media.Bytes bytes) => Encoding.UTF8.GetString(Convert.FromBase64String(bytes.Base64));

    public static bool IsText(string mimeType) =>
        mimeType.StartsWith("text/", StringComparison.Ordinal) || mimeType is "application/json" or "application/xml" or "application/yaml";

    // Providers check the first bytes against the declared type, and clients often declare wrongly. Base64 of the magic numbers.
    private static string? Sniff(string base64) => base64 switch
    {
        _ when base64.StartsWith("iVBORw0KGgo", StringComparison.Ordinal) => "image/png",
        _ when base64.StartsWith("/9j/", StringComparison.Ordinal) => "image/jpeg",
        _ when base64.StartsWith("R0lGOD", StringComparison.Ordinal) => "image/gif",
        _ when base64.StartsWith("UklGR", StringComparison.Ordinal)
        && base64.AsSpan(0, Math.Min(16, base64.Length)).EndsWith("XRUJQ") => "image/webp",
        _ => null,
    };
}
