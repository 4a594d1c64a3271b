using System.Globalization;

namespace Stoa.Assistants.Engines;

/// <param name="IsSecret">A key: shown masked, and written only into a file.</param>
public sealed record EngineSetting(string Name, string Value, bool IsSecret)
{
    public string Shown => IsSecret ? "********" : Value;
}

/// <summary>Turns the original's engine files into settings of the Gateway and of Assistants.</summary>
public static class EngineSettings
{
    /// <summary>What the processes ask: the first engine, and the second where the first cannot answer.</summary>
    private const string Alias = "assistants";

    /// <param name="models">Name and text of <c>models.conf</c>; the others may be absent.</param>
    /// <exception cref="FormatException">What is wrong, with file, line and key.</exception>
    public static IReadOnlyList<EngineSetting> Of(
        (string File, string Text) models, (string File, string Text)? embeddings = null, (string File, string Text)? speech = null)
    {
        var providers = new Providers();
        var chat = ModelsFile.Read(models.File, models.Text).Select(section => providers.Add(EngineOf(section))).ToList();
        var settings = new List<EngineSetting>
        {
            new($"Gateway__Models__{Alias}__Strategy", "priority", IsSecret: false),
        };
        settings.AddRange(chat.Take(2).Select((model, index) =>
            new EngineSetting(Indexed($"Gateway__Models__{Alias}__Targets__", index, "__Model"), model, IsSecret: false)));
        settings.Add(new("Assistants__Models__0", Alias, IsSecret: false));
        if (embeddings is { } file)
        {
            settings.Add(
                new("Assistants__EmbeddingModel", providers.Add(EmbeddingOf(ModelsFile.Read(file.File, file.Text)[0])), IsSecret: false));
        }
        if (speech is { } stt)
        {
            settings.Add(new("Assistants__SpeechModel", providers.Add(SpeechOf(ModelsFile.Read(stt.File, stt.Text)[0])), IsSecret: false));
        }
        return [.. providers.Settings, .. settings];
    }

    private static Engine EngineOf(EngineSection section) => section.Provider switch
    {
        "openai" => new("openai", "openai", null, section.Need("OPENAI_API_KEY"), section.Model),
        "mistral" => new("mistral", "mistral", null, section.Need("MISTRAL_API_KEY"), section.Model),
        "ollama" => new("ollama", "ollama", Address(section, "OLLAMA_ENDPOINT", "/v1"), null, section.Model),
        "azure" => section.Model switch
        {
            "gpt-4o" or "gpt-4o-vision" => AzureOf(section, "GPT4O_AZURE_OPENAI"),
            "gpt4-turbo" => AzureOf(section, "GPT4_TURBO_AZURE_OPENAI"),
            "gpt4-32k" => AzureOf(section, "GPT4_AZURE_OPENAI"),
            "gpt-4-vision-preview" => AzureOf(section, "GPT4_VISION_AZURE_OPENAI"),
            "mistral-large-latest" => new(
                "azure-mistral", "openai_compatible", Address(section, "MISTRAL_AZURE_API_BASE", "/v1"),
                section.Need("MISTRAL_AZURE_API_KEY"), section.Model),
            _ => throw Unknown(section),
        },
        _ => throw Unknown(section),
    };

    private static Engine EmbeddingOf(EngineSection section) => (section.Provider, section.Model) switch
    {
        ("openai", _) => EngineOf(section),
        ("azure", "text-embedding-ada-002") => AzureOf(section, "ADA_EMBEDDING_AZURE_OPENAI"),
        _ => throw Unknown(section),
    };

    private static Engine SpeechOf(EngineSection section) => (section.Provider, section.Model) switch
    {
        ("openai", "whisper-1") => EngineOf(section),
        ("azure", "whisper") => AzureOf(section, "WHISPER_AZURE_OPENAI", "WHISPER_AZURE_VERSION"),
        _ => throw Unknown(section),
    };

    /// <summary>
    /// Azure's resources speak OpenAI's dialect below <c>/openai/v1</c>, where a deployment is a model and no version is named.
    /// </summary>
    private static Engine AzureOf(EngineSection section, string prefix, string? version = null)
    {
        section.Need(version ?? $"{prefix}_API_VERSION");
        return new(
            $"azure-{section.Model}", "openai_compatible",
            Address(section, $"{prefix}_API_BASE", "/openai/v1"), section.Need($"{prefix}_KEY"),
            section.Need($"{prefix}_DEPLOYMENT_ID"));
    }

    private static string Address(EngineSection section, string key, string path)
    {
        var address = section.Need(key).TrimEnd('/');
        return !Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https")
            ? throw ModelsFile.Wrong(section.File, section.Line, $"{key} must be an address such as https://example.org")
            : address.EndsWith(path, StringComparison.Ordinal) ? address : address + path;
    }

    private static FormatException Unknown(EngineSection section) =>
        ModelsFile.Wrong(section.File, section.Line, $"[{section.Provider}/{section.Model}] is no engine that is known here");

    private static string Indexed(string before, int index, string after = "") =>
        string.Create(CultureInfo.InvariantCulture, $"{before}{index}{after}");

    /// <param name="Name">What the provider is called, unless another has the name with another key.</param>
    private sealed record Engine(string Name, string Kind, string? BaseUrl, string? ApiKey, string Model);

    private sealed class Providers
    {
        private readonly List<(string Name, Engine Engine, List<string> Models)> all = [];

        public IEnumerable<EngineSetting> Settings =>
            all.SelectMany(provider => SettingsOf(provider.Name, provider.Engine, provider.Models));

        /// <summary>The engine as clients name it: engines with the same address and key are one provider.</summary>
        public string Add(Engine engine)
        {
            var known = all.Find(one => one.Engine.Kind == engine.Kind
                && one.Engine.BaseUrl == engine.BaseUrl && one.Engine.ApiKey == engine.ApiKey);
            if (known.Name is null)
            {
                var taken = all.Count(one => one.Engine.Name == engine.Name);
                known = (taken == 0 ? engine.Name : Indexed($"{engine.Name}-", taken + 1), engine, []);
                all.Add(known);
            }
            if (!known.Models.Contains(engine.Model, StringComparer.Ordinal))
            {
                known.Models.Add(engine.Model);
            }
            return $"{known.Name}/{engine.Model}";
        }

        private static IEnumerable<EngineSetting> SettingsOf(string name, Engine engine, List<string> models)
        {
            var prefix = $"Gateway__Providers__{name}__";
            yield return new($"{prefix}Kind", engine.Kind, IsSecret: false);
            if (engine.BaseUrl is { } address)
            {
                yield return new($"{prefix}BaseUrl", address, IsSecret: false);
            }
            if (engine.ApiKey is { } key)
            {
                yield return new($"{prefix}ApiKey", key, IsSecret: true);
            }
            foreach (var (index, model) in models.Index())
            {
                yield return new(Indexed($"{prefix}Models__", index), model, IsSecret: false);
            }
        }
    }
}
