using System.ComponentModel.DataAnnotations;

namespace NewarBots.Manager.Hosting;

/// <summary>Section <c>Storage</c>. The services take the <see cref="Contract.StorageLayout"/> made from it.</summary>
internal sealed class StorageOptions
{
    public const string Section = "Storage";

    /// <summary>The folder that holds <c>recordings/</c>; a relative one counts from the working directory.</summary>
    [Required(ErrorMessage = "Storage:Path must name the folder for the recordings.")]
    public string Path { get; set; } = "storage";
}
