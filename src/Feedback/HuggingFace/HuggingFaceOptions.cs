using System.ComponentModel.DataAnnotations;

namespace Stoa.Feedback.HuggingFace;

/// <summary>Section <c>Feedback:HuggingFace</c>: who tells how toxic a text is, and makes vectors of texts.</summary>
internal sealed class HuggingFaceOptions
{
    public const string Section = "Feedback:HuggingFace";

    /// <summary>Without it no message is looked at.</summary>
    public string? ApiKey { get; set; }

    /// <summary>The model's name follows it.</summary>
    [Required, Url]
    public string ToxicityUrl { get; set => field = value.TrimEnd('/'); } = "https://api-inference.huggingface.co/models";

    [Required]
    public string ToxicityModel { get; set; } = "unitary/multilingual-toxic-xlm-roberta";

    /// <summary>The model's name follows it.</summary>
    [Required, Url]
    public string EmbeddingUrl { get; set => field = value.TrimEnd('/'); } =
        "https://api-inference.huggingface.co/pipeline/feature-extraction";

    [Required]
    public string EmbeddingModel { get; set; } = "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2";

    public bool SkipToxicity { get; set; }

    public bool SkipEmbedding { get; set; }

    /// <summary>Of one call.</summary>
    [Range(1, 600)]
    public int TimeoutSeconds { get; set; } = 60;

    /// <summary>The cosine of two vectors from which their texts count as nearly the same.</summary>
    [Range(0.0, 1.0)]
    public double SimilarFrom { get; set; } = 0.65;

    public bool ChecksToxicity => !SkipToxicity && !string.IsNullOrWhiteSpace(ApiKey);

    public bool MakesEmbeddings => !SkipEmbedding && !string.IsNullOrWhiteSpace(ApiKey);
}
