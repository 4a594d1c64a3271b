namespace Stoa.Gateway.Chat;

internal sealed record EmbeddingRequest(string Model, IReadOnlyList<EmbeddingInput> Inputs)
{
    public int? Dimensions { get; init; }

    /// <summary>The client wants its numbers as base64 of little-endian float32.</summary>
    public bool Base64 { get; init; }
}

/// <summary>Either text or, for providers of OpenAI's dialect only, tokens.</summary>
internal readonly record struct EmbeddingInput(string? Text, IReadOnlyList<int>? Tokens);

internal sealed record EmbeddingAnswer(string Model, IReadOnlyList<float[]> Vectors, TokenUsage Usage);
