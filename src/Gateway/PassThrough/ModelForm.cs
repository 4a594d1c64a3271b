using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Stoa.Platform.Http;

namespace Stoa.Gateway.PassThrough;

/// <summary>A multipart form that names a model and carries a file, to be sent on with the model's name as its provider knows it.</summary>
internal sealed record ModelForm(string Model, IFormCollection Fields)
{
    /// <exception cref="Failure">It is no such form.</exception>
    public static async Task<ModelForm> ReadAsync(HttpRequest request)
    {
        if (!request.HasFormContentType)
        {
            throw new Failure(FailureKind.UnsupportedMedia, "unsupported_media_type", "Send the request as multipart/form-data");
        }
        IFormCollection fields;
        try
        {
            fields = await request.ReadFormAsync(request.HttpContext.RequestAborted);
        }
        catch (Exception broken) when (broken is IOException or InvalidDataException)
        {
            throw Failure.Invalid("The form is broken off, not well-formed or too large", code: "invalid_form");
        }
        return fields["model"] is [{ Length: > 0 } model]
            ? new(model, fields)
            : throw Failure.Invalid("you must provide a model parameter", "model", "missing_required_parameter");
    }

    public async Task<(string Type, byte[] Body)> WriteAsync(string model)
    {
        using var content = new MultipartFormDataContent();
        foreach (var (name, values) in Fields)
        {
            foreach (var value in values)
            {
                var field = new ByteArrayContent(Encoding.UTF8.GetBytes(name == "model" ? model : value ?? ""));
                content.Add(field, Quoted(name));
            }
        }
        foreach (var file in Fields.Files)
        {
            var part = new StreamContent(file.OpenReadStream());
            part.Headers.ContentType = MediaTypeHeaderValue.TryParse(file.ContentType, out var type)
                ? type : new("application/octet-stream");
            content.Add(part, Quoted(file.Name), Quoted(file.FileName));
        }
        return (content.Headers.ContentType!.ToString(), await content.ReadAsByteArrayAsync());
    }

    private static string Quoted(string name) => $"\"{string.Concat(name.Where(letter => !char.IsControl(letter) && letter != '"'))}\"";
}
