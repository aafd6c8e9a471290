"""The presets of KerasHub that give feature maps, so that they can be listed without it."""

# By the name of the class in `keras_hub.models`, as KerasHub 0.32 has them.
PRESETS: dict[str, tuple[str, ...]] = {
    "CLIPBackbone": (
        *("clip_vit_b_32_laion2b_s34b_b79k", "clip_vit_base_patch16", "clip_vit_base_patch32"),
        *("clip_vit_bigg_14_laion2b_39b_b160k", "clip_vit_g_14_laion2b_s12b_b42k", "clip_vit_h_14_laion2b_s32b_b79k"),
        *("clip_vit_large_patch14", "clip_vit_large_patch14_336"),
    ),
    "CSPNetBackbone": (
        *("csp_darknet_53_ra_imagenet", "csp_resnet_50_ra_imagenet", "csp_resnext_50_ra_imagenet"),
        "darknet_53_imagenet",
    ),
    "DenseNetBackbone": (*("densenet_121_imagenet", "densenet_169_imagenet", "densenet_201_imagenet"),),
    "DINOV2Backbone": (
        *("dinov2_base", "dinov2_giant", "dinov2_large", "dinov2_small", "dinov2_with_registers_base"),
        *("dinov2_with_registers_giant", "dinov2_with_registers_large", "dinov2_with_registers_small"),
    ),
    "DINOV3Backbone": (
        *("dinov3_vit_7b_lvd1689m", "dinov3_vit_7b_sat493m", "dinov3_vit_base_lvd1689m"),
        *("dinov3_vit_huge_plus_lvd1689m", "dinov3_vit_large_lvd1689m", "dinov3_vit_large_sat493m"),
        *("dinov3_vit_small_lvd1689m", "dinov3_vit_small_plus_lvd1689m"),
    ),
    "EfficientNetBackbone": (
        *("efficientnet2_rw_m_agc_imagenet", "efficientnet2_rw_s_ra2_imagenet", "efficientnet2_rw_t_ra2_imagenet"),
        *("efficientnet_b0_ra4_e3600_r224_imagenet", "efficientnet_b0_ra_imagenet", "efficientnet_b1_ft_imagenet"),
        *("efficientnet_b1_ra4_e3600_r240_imagenet", "efficientnet_b2_ra_imagenet", "efficientnet_b3_ra2_imagenet"),
        *("efficientnet_b4_ra2_imagenet", "efficientnet_b5_sw_ft_imagenet", "efficientnet_b5_sw_imagenet"),
        *("efficientnet_el_ra_imagenet", "efficientnet_em_ra2_imagenet", "efficientnet_es_ra_imagenet"),
        "efficientnet_lite0_ra_imagenet",
    ),
    "HGNetV2Backbone": (
        *("hgnetv2_b4_ssld_stage2_ft_in1k", "hgnetv2_b5_ssld_stage1_in22k_in1k", "hgnetv2_b5_ssld_stage2_ft_in1k"),
        *("hgnetv2_b6_ssld_stage1_in22k_in1k", "hgnetv2_b6_ssld_stage2_ft_in1k"),
    ),
    "MiTBackbone": (
        *("mit_b0_ade20k_512", "mit_b0_cityscapes_1024", "mit_b1_ade20k_512", "mit_b1_cityscapes_1024"),
        *("mit_b2_ade20k_512", "mit_b2_cityscapes_1024", "mit_b3_ade20k_512", "mit_b3_cityscapes_1024"),
        *("mit_b4_ade20k_512", "mit_b4_cityscapes_1024", "mit_b5_ade20k_640", "mit_b5_cityscapes_1024"),
    ),
    "MobileNetBackbone": (
        *("mobilenet_v3_large_100_imagenet", "mobilenet_v3_large_100_imagenet_21k", "mobilenet_v3_small_050_imagenet"),
        "mobilenet_v3_small_100_imagenet",
    ),
    "ResNetBackbone": (
        *("resnet_101_imagenet", "resnet_152_imagenet", "resnet_18_imagenet", "resnet_50_imagenet"),
        *("resnet_v2_101_imagenet", "resnet_v2_50_imagenet", "resnet_vd_101_imagenet", "resnet_vd_101_ssld_imagenet"),
        *("resnet_vd_152_imagenet", "resnet_vd_18_imagenet", "resnet_vd_200_imagenet", "resnet_vd_34_imagenet"),
        *("resnet_vd_50_imagenet", "resnet_vd_50_ssld_imagenet", "resnet_vd_50_ssld_v2_fix_imagenet"),
        "resnet_vd_50_ssld_v2_imagenet",
    ),
    "RetinaNetBackbone": (*("retinanet_resnet50_fpn_coco", "retinanet_resnet50_fpn_v2_coco"),),
    "SigLIPBackbone": (
        *("medsiglip_900m_448", "siglip2_base_patch16_224", "siglip2_base_patch16_256", "siglip2_base_patch16_384"),
        *("siglip2_base_patch32_256", "siglip2_giant_opt_patch16_256", "siglip2_giant_opt_patch16_384"),
        *("siglip2_large_patch16_256", "siglip2_large_patch16_384", "siglip2_large_patch16_512"),
        *("siglip2_so400m_patch14_224", "siglip2_so400m_patch14_384", "siglip2_so400m_patch16_256"),
        *("siglip2_so400m_patch16_384", "siglip2_so400m_patch16_512", "siglip_base_patch16_224"),
        *("siglip_base_patch16_256", "siglip_base_patch16_256_multilingual", "siglip_base_patch16_384"),
        *("siglip_base_patch16_512", "siglip_large_patch16_256", "siglip_large_patch16_384"),
        *("siglip_so400m_patch14_224", "siglip_so400m_patch14_384", "siglip_so400m_patch16_256_i18n"),
    ),
}
