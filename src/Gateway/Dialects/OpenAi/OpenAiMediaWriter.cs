using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects.OpenAi;

/// <summary>The parts of a user's message: text, pictures, documents, sound.</summary>
internal sealed class OpenAiMediaWriter(Utf8JsonWriter json, ChatTraits traits)
{
    public void Write(Part part)
    {
        json.WriteStartObject();
        switch (part)
        {
            case Part.Text text:
                json.WriteString("type", "text");
                json.WriteString("text", text.Value);
                break;
            case Part.Image image:
                WriteImage(image);
                break;
            case Part.File file when traits.Documents == DocumentForm.DocumentUrl:
                json.WriteString("type", "document_url");
                json.WriteString("document_url", AddressOf(file.Media));
                json.WriteIfAny("document_name", file.Name);
                break;
            case Part.File when traits.Documents == DocumentForm.None:
                throw Unsupported("A document");
            case Part.File file:
                json.WriteString("type", "file");
                json.WriteStartObject("file");
                WriteFile(file);
                json.WriteEndObject();
                break;
            case Part.Audio when !traits.TakesAudio:
                throw Unsupported("Audio");
            case Part.Audio audio:
                json.WriteString("type", "input_audio");
                json.WriteStartObject("input_audio");
                json.WriteString("data", audio.Base64);
                json.WriteString("format", audio.Format);
                json.WriteEndObject();
                break;
            case Part.Video { Media: Media.Url or Media.Bytes } video when traits.TakesVideo:
                json.WriteString("type", "video_url");
                json.WriteStartObject("video_url");
                json.WriteString("url", AddressOf(video.Media));
                json.WriteEndObject();
                break;
            default:
                throw Unsupported($"A part of the kind {part.GetType().Name}");
        }
        json.WriteEndObject();
    }

    private void WriteImage(Part.Image image)
    {
        json.WriteString("type", "image_url");
        json.WriteStartObject("image_url");
        json.WriteString("url", image.Media switch
        {
            Media.Url url => url.Address,
            Media.Bytes bytes => $"data:{bytes.MimeType};base64,{bytes.Base64}",
            _ => throw Unsupported("An image kept by another provider"),
        });
        json.WriteIfAny("detail", image.Detail);
        json.WriteEndObject();
    }

    private void WriteFile(Part.File file)
    {
        switch (file.Media)
        {
            case Media.Stored { Origin: Dialect.OpenAi } stored:
                json.WriteString("file_id", stored.Id);
                break;
            case Media.Bytes bytes:
                json.WriteString("file_data", AddressOf(bytes));
                json.WriteString("filename", file.Name ?? (bytes.MimeType == "application/pdf" ? "document.pdf" : "file"));
                break;
            case Media.Url url when traits.Documents == DocumentForm.Address:
                json.WriteString("file_data", url.Address);
                json.WriteString("filename", file.Name ?? "document.pdf");
                break;
            case Media.Url:
                throw Unsupported("A document given by its address");
            default:
                throw Unsupported("A file kept by another provider");
        }
    }

    private static string AddressOf(Media media) => media switch
    {
        Media.Url url => url.Address,
        Media.Bytes bytes => $"data:{bytes.MimeType};base64,{bytes.Base64}",
        _ => throw Unsupported("A file kept by another provider"),
    };

    private static Failure Unsupported(string what) =>
        Failure.Invalid($"{what} cannot be sent to this provider.", "messages", "unsupported_content");
}
