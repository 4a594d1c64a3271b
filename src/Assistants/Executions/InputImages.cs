using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Wire;
using Stoa.Gateway;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Executions;

/// <summary>A picture that a user has filled into a form.</summary>
internal sealed record InputImage(string InputName, string ContentType, byte[] Content)
{
    public ModelPart Part => ModelPart.Image(Content, ContentType);
}

/// <summary>Pictures among the inputs of an execution: kept beside it, shown to the model that works on it, and gone with it.</summary>
internal sealed class InputImages(AssistantsDb db)
{
    private const int MostImages = 5;
    private const int MostBytes = 4 << 20;

    /// <exception cref="Failure">There are too many, one is too large, or it is no picture that models are shown.</exception>
    public static async Task<IReadOnlyList<InputImage>> ReadAsync(IFormFileCollection files, CancellationToken ct)
    {
        if (files.Count > MostImages)
        {
            throw Failure.Invalid($"A form may have {MostImages} images", "inputs");
        }
        var images = new List<InputImage>(files.Count);
        foreach (var file in files)
        {
            if (file.Name.Length > Fields.ShortText || file.Name.Contains('\0', StringComparison.Ordinal))
            {
                throw Failure.Invalid("Invalid field 'inputs'", "inputs");
            }
            if (file.Length > MostBytes)
            {
                throw new Failure(FailureKind.TooLarge, "too_large", $"An image may have {MostBytes >> 20} MB");
            }
            using var bytes = new MemoryStream((int)file.Length);
            await file.CopyToAsync(bytes, ct);
            var content = bytes.ToArray();
            images.Add(new(file.Name, TypeOf(content) ?? throw new Failure(
                FailureKind.UnsupportedMedia, "unsupported_file", "Images are read as PNG, JPEG, GIF and WebP"), content));
        }
        return images;
    }

    /// <summary>In the transaction that starts the execution.</summary>
    public async Task AddAsync(int executionId, IEnumerable<InputImage> images, CancellationToken ct)
    {
        foreach (var image in images)
        {
            await db.Database.ExecuteSqlAsync($"""
                insert into assistants.input_images (task_execution_id, input_name, content_type, content)
                values ({executionId}, {image.InputName}, {image.ContentType}, {image.Content})
                """, ct);
        }
    }

    public async Task<IReadOnlyList<InputImage>> OfAsync(int executionId, CancellationToken ct) =>
        await db.Database.SqlQuery<InputImage>($"""
        select input_name, content_type, content from assistants.input_images where task_execution_id = {executionId} order by id
        """).ToListAsync(ct);

    /// <summary>By its first bytes, whatever it is called.</summary>
    internal static string? TypeOf(ReadOnlySpan<byte> content) => content switch
    {
        [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => "image/png",
        [0xFF, 0xD8, 0xFF, ..] => "image/jpeg",
        [(byte)'G', (byte)'I', (byte)'F', (byte)'8', ..] => "image/gif",
        [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'E', (byte)'B', (byte)'P', ..] => "image/webp",
        _ => null,
    };
}
