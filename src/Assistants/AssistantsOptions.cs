namespace Stoa.Assistants;

/// <summary>Section <c>Assistants</c>.</summary>
internal sealed class AssistantsOptions
{
    public const string Section = "Assistants";

    /// <summary>The organization that new users belong to and that pays for their model calls. Absent: the oldest of the installation.</summary>
    public Guid? Organization { get; set; }

    /// <summary>Models that the processes ask, the first that can be served; names as clients write them, <c>provider/model</c> or an alias.</summary>
    public List<string> Models { get; set; } = [];

    /// <summary>The model that makes vectors of documents; absent: the first provider's own.</summary>
    public string? EmbeddingModel { get; set; }

    /// <summary>The model that writes down what users say; absent: the first provider's own.</summary>
    public string? SpeechModel { get; set; }
}
