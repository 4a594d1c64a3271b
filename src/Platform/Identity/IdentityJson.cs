using System.Text.Json.Serialization;

namespace Stoa.Platform.Identity;

/// <summary>What the routes of people, organizations and keys take and give.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(KeysApi.KeyRequest))]
[JsonSerializable(typeof(RotationTerms))]
[JsonSerializable(typeof(KeysApi.KeyPage))]
[JsonSerializable(typeof(KeysApi.CreatedKey))]
[JsonSerializable(typeof(KeyRow))]
[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class IdentityJson : JsonSerializerContext;
